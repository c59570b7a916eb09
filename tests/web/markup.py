"""A checker of pages: what a reader of the markup (a browser, a screen reader, a person) relies on.

`faults` lists what is wrong; `Form` reads a form as a browser would send it.
"""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "hr", "use", "circle", "rect", "path"}
QUIET_INPUTS = {"hidden", "submit", "button"}


class Form:
    """One form: where it goes, how, and what a browser would send before anything is typed."""

    def __init__(self, action: str, method: str) -> None:
        self.action, self.method = action, method
        self.fields: list[tuple[str, str]] = []
        self.names: set[str] = set()


class Page(HTMLParser):
    """The page read once: faults of its markup, its forms, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self.words = ""
        self.lang = ""
        self._open: list[str] = []
        self._ids: set[str] = set()
        self._labels: set[str] = set()
        self._unlabelled: list[tuple[str, str]] = []
        self._select = ""
        self._refers: list[str] = []
        self._outward: set[str] = set()
        self.feed(text)
        self.close()
        self._finish()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._check(tag, given)
        if tag == "html":
            self.lang = given.get("lang", "")
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        if tag in ("input", "select", "textarea", "button", "option"):
            self._control(tag, given)
        if tag == "a":
            self.links.append(given.get("href", ""))
            if given.get("rel") == "noreferrer":
                self._outward.add(given.get("href", ""))
        if tag == "h1":
            self.headings.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._check(tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-3:]}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style", "pre"):
            self.words += data
        if "h1" in self._open and self.headings:
            self.headings[-1] += data

    def _check(self, tag: str, given: dict[str, str]) -> None:
        bad = [name for name in given if name == "style" or name.startswith("on")]
        if bad:
            self.faults.append(f"<{tag}> has {bad}, which the policy forbids")
        if "id" in given:
            if given["id"] in self._ids:
                self.faults.append(f"id {given['id']} stands twice")
            self._ids.add(given["id"])
        if tag == "img" and "alt" not in given:
            self.faults.append("a picture without alt")
        if tag == "script" and not given.get("src", "").startswith("/static/"):
            self.faults.append("a script that is not ours")
        if tag == "label" and "for" in given:
            self._labels.add(given["for"])
        self._refers += given.get("aria-describedby", "").split() + given.get("aria-labelledby", "").split()

    def _control(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        named = "aria-label" in given or "label" in self._open
        if tag in ("input", "select", "textarea") and kind not in QUIET_INPUTS and not named:
            self._unlabelled.append((given.get("id", ""), given.get("name", "")))
        name = given.get("name", "")
        if not self.forms or "form" not in self._open or (not name and tag != "option"):
            return
        form = self.forms[-1]
        form.names.add(name)
        if tag == "select":
            self._select = name
        elif tag == "option":
            first = self._select not in {field for field, _ in form.fields}
            if first or "selected" in given:
                form.fields = [field for field in form.fields if field[0] != self._select]
                form.fields.append((self._select, given.get("value", "")))
        elif tag == "input" and (kind not in ("checkbox", "radio") or "checked" in given):
            form.fields.append((name, given.get("value", "")))

    def _finish(self) -> None:
        if self._open:
            self.faults.append(f"left open: {self._open}")
        self.faults += [f"no label for {one}" for one in self._unlabelled if one[0] not in self._labels]
        self.faults += [f"refers to {one}, which is not there" for one in self._refers if one not in self._ids]
        if len(self.headings) != 1 or not self.headings[0].strip():
            self.faults.append(f"one h1 with words, not {self.headings}")
        if self.lang not in ("zh-CN", "en"):
            self.faults.append(f"lang is {self.lang!r}")
        if "{" in self.words or "Undefined" in self.words:
            self.faults.append("a place was left unfilled")
        here = [one for one in self.links if one not in self._outward]
        self.faults += [f"link {one!r}" for one in here if not one.startswith(("/", "#"))]

    def form(self, action: str, holding: str = "") -> Form:
        """The first form for this action that has a field `holding`."""
        for form in self.forms:
            if form.action == action and (not holding or holding in form.names):
                return form
        raise AssertionError(f"no form for {action} among {[form.action for form in self.forms]}")
