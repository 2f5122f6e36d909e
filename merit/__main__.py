"""`python -m merit` is `merit`."""

from merit.cli import app

if __name__ == "__main__":
    app(prog_name="merit")
