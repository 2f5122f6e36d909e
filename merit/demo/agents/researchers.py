"""Two ways to research: quick and cheap, or thorough and dear. Both look things up and read before they answer."""

from contextlib import suppress

from merit.demo.instrument import Model, ToolError, Workday

GPT_4O_MINI = Model("openai", "gpt-4o-mini", tokens_per_second=110)
CLAUDE_SONNET = Model("anthropic", "claude-sonnet-4-5", tokens_per_second=65)


def research_scout(day: Workday, question: str) -> None:
    """One look, one page, one answer: fast, cheap, and wrong about every fifth time."""
    with day.invoke_agent(
        "research-scout", service="research", category="research", model=GPT_4O_MINI, assignment=question, kind="researcher"
    ):
        day.retrieve("web-index", question, seconds=(0.1, 0.4))
        with suppress(ToolError):  # without the page it answers from the index alone
            day.execute_tool("fetch_page", seconds=(0.3, 1.5), fails=0.15, query=question)
        day.chat(GPT_4O_MINI, prompt=3_500, answer=350)
        day.check(0.80, "the answer names no source")


def deep_researcher(day: Workday, question: str) -> None:
    """Reads several papers, each on top of what it knows already (which the provider has cached): slow and reliable."""
    with day.invoke_agent(
        "deep-researcher", service="research", category="research", model=CLAUDE_SONNET, assignment=question, kind="researcher"
    ):
        day.retrieve("papers", question, seconds=(0.4, 1.2))
        for paper in range(day.random.randint(2, 4)):
            read_paper(day, paper)
            day.chat(CLAUDE_SONNET, prompt=5_000 + 3_000 * paper, answer=250, cached=0.7 if paper else 0)
        day.chat(CLAUDE_SONNET, prompt=12_000, answer=1_200, cached=0.8)
        day.check(0.96, "two of the sources contradict the summary")


def read_paper(day: Workday, paper: int) -> None:
    """Fetch a paper; if that fails, its copy. The task goes on: a failed step is not a failed task."""
    try:
        day.execute_tool("fetch_paper", seconds=(0.8, 3.0), fails=0.12, paper=paper)
    except ToolError:
        day.execute_tool("fetch_copy", seconds=(1.0, 4.0), paper=paper)
