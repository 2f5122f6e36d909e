"""What the command line does, a module for each command; `merit/cli.py` names them."""
