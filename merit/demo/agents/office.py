"""The back office: an analyst who asks a database, a trainee who has only just begun, and a copywriter."""

from merit.demo.instrument import Model, RateLimitError, ToolError, Workday

DEEPSEEK = Model("deepseek", "deepseek-chat", tokens_per_second=45)
LLAMA = Model("groq", "llama-3.3-70b-versatile", tokens_per_second=280)
MISTRAL_LARGE = Model("mistral_ai", "mistral-large-latest", tokens_per_second=70)


def data_analyst(day: Workday, question: str) -> None:
    """Writes SQL, mends it when the database refuses it, explains the numbers."""
    with day.invoke_agent(
        "data-analyst", service="back-office", category="analysis", model=DEEPSEEK, assignment=question, kind="analyst"
    ):
        day.chat(DEEPSEEK, prompt=2_800, answer=220)
        try:
            day.execute_tool("run_sql", seconds=(0.2, 2.5), fails=0.3, database="sales")
        except ToolError:
            day.chat(DEEPSEEK, prompt=3_300, answer=240, cached=0.8)
            day.execute_tool("run_sql", seconds=(0.2, 2.5), fails=0.1, database="sales")
        day.chat(DEEPSEEK, prompt=3_900, answer=420, cached=0.7)
        day.check(0.95, "the totals do not add up")


def trainee_analyst(day: Workday, question: str) -> None:
    """Quick and nearly free, and so new that no rank can be trusted yet. Says itself when it has failed."""
    with day.invoke_agent(
        "trainee-analyst", service="back-office", category="analysis", model=LLAMA, assignment=question, kind="analyst"
    ) as task:
        day.chat(LLAMA, prompt=2_000, answer=200)
        day.execute_tool("run_sql", seconds=(0.2, 2.0), database="sales")
        day.chat(LLAMA, prompt=2_600, answer=260)
        task.set_attribute("merit.task.success", day.random.random() < 0.85)


def copywriter(day: Workday, brief: str) -> None:
    """Writes a draft and polishes it. The provider is busy at times; one more try usually helps."""
    with day.invoke_agent(
        "copywriter", service="newsroom", category="writing", model=MISTRAL_LARGE, assignment=brief, kind="writer"
    ):
        try:
            day.chat(MISTRAL_LARGE, prompt=1_500, answer=1_000, refused=0.15)
        except RateLimitError:
            day.chat(MISTRAL_LARGE, prompt=1_500, answer=1_000, refused=0.15)
        day.chat(MISTRAL_LARGE, prompt=2_700, answer=1_000)
        day.check(0.92, "the draft is off the brief")
