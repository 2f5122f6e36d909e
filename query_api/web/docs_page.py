"""/docs: the API described and tried out in a browser, with nothing fetched from elsewhere.

The files of Swagger UI come with `fastapi-offline`; no script stands in the page itself, so none needs to be allowed there.
"""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Merit: the API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'
ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")


def routes() -> APIRouter:
    """The page, and what it loads."""
    router = APIRouter(include_in_schema=False)
    folder = Path(str(files("fastapi_offline"))) / "static"

    @router.get("/docs")
    def page() -> Response:
        return HTMLResponse(PAGE)

    @router.get("/docs/start.js")
    def start() -> Response:
        return Response(START, media_type="text/javascript")

    for name in ASSETS:
        router.add_api_route(f"/docs/{name}", _asset(folder / name))
    return router


def _asset(path: Path) -> Callable[[], Response]:
    def asset() -> Response:
        return FileResponse(path, headers={"Cache-Control": "max-age=86400"})

    return asset
