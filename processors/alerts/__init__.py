"""Alerts: rules, change detection, causes, and the life of an alert; frame in, frame out."""
