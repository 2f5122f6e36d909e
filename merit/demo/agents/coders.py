"""Two ways to write code: think first, or try until the tests pass."""

from merit.demo.instrument import AgentError, Model, ToolError, Workday

GPT_5 = Model("openai", "gpt-5", tokens_per_second=90)
GEMINI_FLASH = Model("gcp.gemini", "gemini-2.5-flash", tokens_per_second=230)


def code_smith(day: Workday, ticket: str) -> None:
    """Thinks long (reasoning tokens), edits once or twice, runs the tests: mostly right."""
    with day.invoke_agent(
        "code-smith", service="engineering", category="coding", model=GPT_5, assignment=ticket, kind="coder"
    ) as task:
        day.execute_tool("search_code", seconds=(0.1, 0.5), pattern=ticket)
        day.chat(GPT_5, prompt=9_000, answer=900, thinking=2_500, cached=0.4)
        edit_until_green(day, GPT_5, attempts=3, red=0.25)
        task.set_attribute("merit.files.modified", day.random.randint(1, 4))
        day.check(0.93, "the reviewer asks for another solution")


def code_sprinter(day: Workday, ticket: str) -> None:
    """Writes at once and tries again while the tests are red: very fast, gives up now and then."""
    with day.invoke_agent(
        "code-sprinter", service="engineering", category="coding", model=GEMINI_FLASH, assignment=ticket, kind="coder"
    ) as task:
        day.chat(GEMINI_FLASH, prompt=6_000, answer=1_100)
        edit_until_green(day, GEMINI_FLASH, attempts=3, red=0.5)
        task.set_attribute("merit.files.modified", day.random.randint(1, 7))
        day.check(0.88, "the reviewer found a regression")


def edit_until_green(day: Workday, model: Model, *, attempts: int, red: float) -> None:
    """Edit and run the tests; red tests go back to the model. The last red run fails the task."""
    for attempt in range(1, attempts + 1):
        day.execute_tool("edit_file", seconds=(0.05, 0.2), path="src/app.py")
        try:
            day.execute_tool("run_tests", seconds=(2, 9), fails=red, attempt=attempt)
        except ToolError as error:
            if attempt == attempts:
                raise AgentError(f"the tests are still red after {attempts} attempts") from error
            day.chat(model, prompt=8_000, answer=500, cached=0.6)
        else:
            return
