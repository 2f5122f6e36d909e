"""What people expect: kinds of work, benchmarks, goals."""
