"""The thinking: steps, frame in, frame out. No I/O, no clock, no environment."""
