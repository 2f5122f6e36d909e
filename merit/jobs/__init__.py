"""What runs again and again, who runs it, and what each job does."""
