"""What the command line does, where it is more than a few lines; `merit/cli.py` names every command and holds the short ones."""
