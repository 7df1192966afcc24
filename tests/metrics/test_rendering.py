"""The forms of a report: all carry the same figures, pages load nothing, words are in the reader's language."""

import csv
import io
import json
import re
import string
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection

from metrics.breakdown import Row, Scope, parse_by
from metrics.catalogue import Language, words
from metrics.charts import Chart, draw
from metrics.formats import MEDIA_TYPES, Format, breakdowns, rendered
from metrics.integrity import Finding
from metrics.names import Names
from metrics.rendering.page import content_policy
from metrics.rendering.tables import Cell, Tables
from metrics.report import Report, promise_report
from metrics.spelling import duration, longer, percent, points
from models.vocabulary import EstimateBasis
from queue_service.domain import commands as c
from queue_service.domain.plan import Plan
from queue_service.errors import BadValue
from queue_service.estimate_errors import Scored, add
from tests.metrics.driving import DAY, Drive, at, empty_database
from tests.metrics.test_definition import document

BY = "zone,department,group,week,month,service,zone.day,service.week"
CJK = re.compile("[\u4e00-\u9fff]")


def busy_day(drive: Drive) -> None:
    """A day with something in every section, a name that would be a formula or markup among it."""
    drive.send(c.PutPlan({**document("Asia/Shanghai"), "name": "<大厅>"}))
    for minute in range(0, 60, 4):
        ticket = drive.issue("tax" if minute % 8 else "land", at_ms=at(9, minute))
        drive.send(c.CallNext("1"), at_ms=at(9, minute, 2 * minute))
        drive.send(c.Start(ticket), c.Finish(ticket), at_ms=drive.clock.now_ms() + 60_000)
    drive.issue("tax")
    chosen = drive.issue("tax", at_ms=at(11))
    drive.send(c.CallChosen("2", "=cmd()", ticket=chosen), at_ms=at(11, 1))
    drive.send(c.CallNext("2", finish_current=True))
    drive.send(c.Suspend("fire alarm", turn_away=True))
    drive.issue("land")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Report, Plan]]:
    """The report of such a day, broken down in many ways."""
    database = empty_database(tmp_path_factory.mktemp("rendering"))
    drive = Drive(database)
    drive.send(c.PutPlan(document("Asia/Shanghai")))
    drive.open("1", "2")
    busy_day(drive)

    def read(connection: Connection) -> Report:
        return promise_report(connection, drive.view.rules, DAY, DAY, at(12), parse_by(BY))

    with database.write() as writing:
        add(writing, "hall", [Scored(9, DAY, "tax", EstimateBasis.LEARNED, -61.5, covered=True)])
    yield database.read(read), drive.view.rules
    database.close()


class _Cells(HTMLParser):
    """The tables of a page: per table its rows of cells, exact values where the page has them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[Any]]] = {}
        self._row: list[Any] | None = None
        self._value: str | None = None
        self._name = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        found = dict(attrs)
        if tag == "table":
            self._name = found["data-table"] or ""
            self.tables[self._name] = []
        elif tag == "tr":
            self.tables[self._name].append([])
        elif tag in ("td", "th"):
            self.tables[self._name][-1].append("")
        elif tag == "data":
            self._value = found["value"]

    def handle_data(self, data: str) -> None:
        """The cell's exact value, else its text."""
        if self._name and self.lasttag in ("td", "th", "data") and data.strip():
            value, self._value = self._value, None
            self.tables[self._name][-1][-1] = data if value is None else float(value)


@cache
def made(kind: Format, language: Language, key: int) -> bytes:
    """A form of the module's report, made once."""
    report, plan = MADE[key]
    return rendered(report, Names(plan, language), kind)


MADE: dict[int, tuple[Report, Plan]] = {}


def form(day: tuple[Report, Plan], kind: Format, language: Language = Language.EN) -> bytes:
    """A form of a report."""
    MADE[id(day[0])] = day
    return made(kind, language, id(day[0]))


def exact(value: Any) -> Any:
    """A value as every form must carry it: numbers as numbers, nothing as nothing."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def test_every_form_carries_the_same_rows(day: tuple[Report, Plan]) -> None:
    """JSON and CSV tell the same rows; the CSV begins with the mark by which spreadsheets know UTF-8."""
    document_ = json.loads(form(day, Format.JSON))
    text = form(day, Format.CSV).decode()
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert text[0] == "\ufeff"
    assert len(lines) == len(document_["rows"]) > 20
    for line, row in zip(lines, document_["rows"], strict=True):
        for name in Row.model_fields:
            spelt = "" if row[name] is None else json.dumps(row[name], ensure_ascii=False).strip('"')
            assert line[name] == spelt, name


def test_the_workbook_holds_every_table_with_the_exact_values(day: tuple[Report, Plan]) -> None:
    """A sheet a table, cell by cell the report's own values; nothing is a formula."""
    book = load_workbook(io.BytesIO(form(day, Format.XLSX)))
    tables = Tables(day[0], Names(day[1], Language.EN)).all()
    assert book.sheetnames == ["About", *(table.title[:31] for table in tables)]
    for table in tables:
        sheet = book[table.title[:31]]
        rows = list(sheet.iter_rows(min_row=2))
        assert len(rows) == len(table.rows)
        for cells, values in zip(rows, table.rows, strict=True):
            for cell, value, column in zip(cells, values, table.columns, strict=True):
                yes_no = {None: None, True: "yes", False: "no"}
                expected = yes_no[value] if column.cell == Cell.YES_NO else exact(value)
                close = pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected
                assert exact(cell.value) == close, (table.name, column.name)
                assert cell.data_type != "f"
    assert [row[4].value for row in book["Chosen calls"].iter_rows(min_row=2)] == ["=cmd()"]


def test_the_page_shows_every_table_with_the_exact_values(day: tuple[Report, Plan]) -> None:
    """Behind what is rounded for the eye stands the exact value; the long table alone is left to the workbook."""
    shown = _Cells(form(day, Format.HTML).decode()).tables
    tables = {table.name: table for table in Tables(day[0], Names(day[1], Language.EN)).all() if not table.long}
    # one day: nothing to say by day that the total does not say
    assert tables.keys() - shown.keys() == {"day"}
    for name, rows in shown.items():
        assert [len(row) for row in rows[1:]] == [len(row) for row in tables[name].rows], name
        for line, values in zip(rows[1:], tables[name].rows, strict=True):
            for at_, (cell, value) in enumerate(zip(line, values, strict=True)):
                if at_ and isinstance(value, int | float) and not isinstance(value, bool):
                    assert cell == pytest.approx(value), (name, values)


@pytest.mark.parametrize("language", Language)
def test_the_page_loads_and_runs_nothing(day: tuple[Report, Plan], language: Language) -> None:
    """No address of anything outside, no script, no style but the one its own policy allows by its hash."""
    page = form(day, Format.HTML, language).decode()
    assert not re.findall(r"https?:|//[a-z]|url\((?!#)|@import|<script|<link|<img|<iframe|javascript:", page)
    assert set(re.findall(r'href="([^"]*)"', page)) <= {f"#{one}" for one in re.findall(r'id="([^"]*)"', page)}
    assert not re.findall(r"\sstyle=|\son[a-z]+=", page)
    assert page.count("<style>") == 1
    assert "default-src 'none'; style-src 'sha256-" in content_policy()


def test_the_page_can_be_read_by_everyone(day: tuple[Report, Plan]) -> None:
    """Each chart has a title and a description that its picture refers to; ids are unique; tables have heads."""
    page = form(day, Format.HTML).decode()
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    labelled = re.findall(r'aria-labelledby="([^"]*)"', page)
    assert len(labelled) == len(Chart) - 1
    assert all(name in ids for label in labelled for name in label.split())
    assert page.count("<table") == page.count("<thead>")
    assert '<html lang="en">' in page


def test_names_from_the_plan_are_no_markup(day: tuple[Report, Plan]) -> None:
    """What a plan or a clerk wrote stands on the page as it was written."""
    page = form(day, Format.HTML).decode()
    assert "<大厅>" not in page
    assert "<h1>&lt;大厅&gt;</h1>" in page


def test_the_page_in_chinese(day: tuple[Report, Plan]) -> None:
    """With `zh-CN` every heading, column and chart is Chinese."""
    page = form(day, Format.HTML, Language.ZH_CN).decode()
    assert '<html lang="zh-CN">' in page
    headings = re.findall(r"<(?:h2|h3|figcaption|dt)[^>]*>([^<]+)<", page)
    assert [text for text in headings if not CJK.search(text)] == []
    assert {"承诺（按票号）", "数据真实性", "点名叫号", "一天中的等候时间"} <= set(headings)
    assert "税务" in form(day, Format.TEXT, Language.ZH_CN).decode()


def test_the_languages_have_the_same_places() -> None:
    """A text that one language has, every language has, with the same names to fill in; none is empty."""
    first, *others = (words(language).texts for language in Language)
    for other in others:
        assert first.keys() == other.keys()
        for place, text in first.items():
            assert _named(text) == _named(other[place]), place
            assert text.strip()
            assert other[place].strip()


def _named(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_catalogue_has_a_word_for_every_finding_and_no_word_too_many() -> None:
    """Each place is asked for somewhere in the code, by its whole name or by the closed set behind it."""
    code = "".join(path.read_text(encoding="utf-8") for path in Path("metrics").rglob("*.py"))
    families = {found.rstrip(".") for found in re.findall(r"""["'](\w+\.)\{""", code)}
    lonely = [
        place for place in words(Language.EN).texts
        if f'"{place}"' not in code.replace("'", '"') and place.partition(".")[0] not in families
    ]  # fmt: skip
    assert lonely == []
    assert {f"{family}.{finding.value}" for family in ("finding", "why") for finding in Finding} <= words(
        Language.EN
    ).texts.keys()


# -- charts


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("chart", Chart)
def test_a_chart_is_safe_and_says_what_it_shows(day: tuple[Report, Plan], chart: Chart, language: Language) -> None:
    """An SVG document with title and description, text as text in the language, and nothing a policy would block."""
    drawn = draw(chart, day[0], Names(day[1], language))
    root = ET.fromstring(drawn)  # noqa: S314 (our own)
    svg = "{http://www.w3.org/2000/svg}"
    assert [root[0].tag, root[1].tag] == [f"{svg}title", f"{svg}desc"]
    assert root[0].text == words(language)(f"chart.{chart.value}")
    tags = {element.tag.removeprefix(svg) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "g", "path", "text", "use", "defs", "clipPath", "rect"}
    names = {name for element in root.iter() for name in element.attrib}
    assert not {
        name for name in names if name.startswith("on") or name in ("style", "{http://www.w3.org/1999/xlink}href")
    }
    texts = [element.text or "" for element in root.iter(f"{svg}text")]
    assert not [text for text in texts if "@" in text]
    assert any(CJK.search(text) for text in texts) or language == Language.EN
    assert drawn.count("http") == 1  # the name of the format itself


def test_charts_of_nothing_say_so(drive: Drive) -> None:
    """Where nothing happened each chart is there and says that there is nothing."""
    report, names = drive.report("2026-01-01"), Names(drive.view.rules, Language.ZH_CN)
    assert all("这些日期没有数据。" in draw(chart, report, names) for chart in Chart)
    for kind in Format:
        assert rendered(report, names, kind)


# -- what is asked for


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("colour", "There is no breakdown by 'colour'"),
        ("zone,", None),
        ("zone..day", "There is no breakdown by ''"),
        ("zone.zone", "cross at most 3 different dimensions"),
        ("zone.day.period.service", "cross at most 3 different dimensions"),
        ("total", "There is no breakdown by 'total'"),
        ("Zone", "There is no breakdown by 'Zone'"),
    ],
)
def test_unknown_breakdowns_are_refused_with_those_there_are(asked: str, said: str | None) -> None:
    """A misspelt dimension is named, and so are the dimensions there are."""
    if said is None:
        assert parse_by(asked) == [(Scope.ZONE,)]
        return
    with pytest.raises(BadValue, match=re.escape(said)):
        parse_by(asked)


def test_pages_show_every_part_of_the_hall() -> None:
    """Where nothing was asked for, the page breaks down by everything a reader may ask; machines get what they ask."""
    assert breakdowns(Format.JSON, None, 40) == []
    month = {one[0] for one in breakdowns(Format.HTML, None, 40)}
    assert month == {Scope.SERVICE, Scope.ZONE, Scope.DEPARTMENT, Scope.GROUP, Scope.WEEK, Scope.MONTH}
    assert (Scope.SERVICE,) in breakdowns(Format.HTML, "zone", 1)
    assert MEDIA_TYPES.keys() == set(Format)


# -- spelling


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [(0, "0:00"), (0.001, "0:01"), (600.0, "10:00"), (600.001, "10:01"), (4516.789, "1:15:17"), (3600, "1:00:00")],
)
def test_durations_never_look_shorter_than_they_are(seconds: float, spelt: str) -> None:
    """Whatever passed a second is shown as the next: what missed 10:00 by a millisecond is not shown as 10:00."""
    assert duration(seconds) == spelt


def test_shares_never_look_better_than_they_are() -> None:
    """A share is cut, not rounded: 89.97 % is not shown as 90.0 %."""
    assert [percent(share) for share in (0, 0.8997, 0.9, 1, 0.29)] == ["0.0 %", "89.9 %", "90.0 %", "100.0 %", "29.0 %"]
    assert [points(0.0123), points(-0.5)] == ["+1.2", "−50.0"]
    assert [longer(61), longer(-61), longer(0)] == ["+1:01", "−1:01", "+0:00"]
