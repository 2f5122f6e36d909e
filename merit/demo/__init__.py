"""`merit demo`: several agents with different models, prices, tempers and a supervisor, and what Merit makes of them.

Start reading in `instrument.py` (how an agent is instrumented) and `agents/` (agents to copy from).
"""
