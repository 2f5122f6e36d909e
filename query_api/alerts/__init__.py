"""Alerts, the rules that raise them, and when nobody is told."""
