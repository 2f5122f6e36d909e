"""What must not be stored is masked, cut or dropped before anything is written."""
