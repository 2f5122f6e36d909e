"""Telling people and programs of alerts: routes, messages, and who carries them."""
