"""The page that asks for the token, in the language of the browser or of the settings. Checks nothing."""

from html import escape

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse

from assistant.i18n.texts import t, use_language

_STYLE = """
body { font: 16px/1.5 sans-serif; background: #fdfdfb; color: #23262b; margin: 0; display: grid;
       place-items: center; min-height: 100vh; }
main { width: min(22rem, 90vw); }
h1 { font-family: serif; font-weight: 600; margin: 0 0 .5rem; }
label { display: block; margin-top: 1rem; }
input, button { font: inherit; width: 100%; box-sizing: border-box; padding: .55rem .7rem; margin-top: .4rem;
                border: 1px solid #e3e0d7; border-radius: 8px; }
button { background: #333f8f; color: #fff; border: 0; margin-top: 1rem; cursor: pointer; }
.problem { color: #8f2b2b; margin: .8rem 0 0; }
"""


def login_page(headers: Headers, language: str, status: int, problem: str = "") -> HTMLResponse:
    """The form, and what was wrong with the last attempt: a key of the texts, or "".

    `language` is "auto" or one of the texts'. The form is sent to the address it was shown under.
    """
    code = _first_language(headers) if language == "auto" else language
    use_language(code)
    told = f'<p class="problem" role="alert">{escape(t(problem))}</p>' if problem else ""
    # The page's own referrer policy lets the form say where it comes from; under no-referrer it would be "null".
    html = f"""<!DOCTYPE html>
<html lang="{escape(code)}"><head><meta charset="utf-8"><meta name="referrer" content="same-origin">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Imprint</title><style>{_STYLE}</style></head>
<body><main><h1>Imprint</h1><p>{escape(t("login.lead"))}</p>{told}
<form method="post"><label for="token">{escape(t("login.token"))}</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button type="submit">{escape(t("login.open"))}</button></form></main></body></html>"""
    return HTMLResponse(html, status, {"cache-control": "no-store"})


def _first_language(headers: Headers) -> str:
    first = headers.get("accept-language", "").split(",")[0].split(";")[0]
    return first.strip().split("-")[0].lower() or "en"
