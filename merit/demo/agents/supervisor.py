"""A supervisor: gives parts of its work to other agents, which run in services of their own within the same trace."""

from merit.demo.agents.office import copywriter
from merit.demo.agents.researchers import deep_researcher, research_scout
from merit.demo.instrument import AgentError, Model, Workday

CLAUDE_HAIKU = Model("anthropic", "claude-haiku-4-5", tokens_per_second=140)


def managing_editor(day: Workday, topic: str) -> None:
    """Plans an article, has it researched and written, and reviews it."""
    with day.invoke_agent(
        "managing-editor", service="newsroom", category="writing", model=CLAUDE_HAIKU, assignment=topic, kind="supervisor"
    ) as task:
        day.chat(CLAUDE_HAIKU, prompt=1_200, answer=300)
        research(day, f"What is known about {topic}?")
        day.chat(CLAUDE_HAIKU, prompt=3_000, answer=250, cached=0.4)
        copywriter(day, f"900 words about {topic}")
        day.chat(CLAUDE_HAIKU, prompt=4_200, answer=200, cached=0.6)
        task.set_attribute("merit.files.created", 1)
        day.check(0.97, "the article is not fit to print")


def research(day: Workday, question: str) -> None:
    """Ask the cheap researcher first and the dear one if that fails: the editor recovers from a failed sub-agent."""
    try:
        research_scout(day, question)
    except AgentError:
        deep_researcher(day, question)
