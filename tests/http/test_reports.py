"""The report and its charts over HTTP: every form, every language, what cannot be asked for."""

import io
import json
import re

import httpx
import pytest
from openpyxl import load_workbook

from tests.http.conftest import NewHall

DAY = "2026-03-02"


@pytest.fixture(scope="module")
def hall(client: httpx.Client, new_hall: NewHall) -> str:
    """A hall in which somebody was called today and somebody waits."""
    name = new_hall(open_counters=1)
    for service in ("tax", "land"):
        client.post(f"/v1/halls/{name}/tickets", json={"service": service})
    client.post(f"/v1/halls/{name}/counters/1/call-next")
    return name


def get(client: httpx.Client, hall: str, place: str, **query: str) -> httpx.Response:
    """A page of the hall."""
    return client.get(f"/v1/halls/{hall}/{place}", params=query)


def test_the_report_comes_in_five_forms(client: httpx.Client, hall: str) -> None:
    """Each with its media type, and each says that one of one promise was kept."""
    forms = {form: get(client, hall, "promise-report", format=form) for form in ("json", "csv", "text", "html", "xlsx")}
    assert {form: answer.status_code for form, answer in forms.items()} == dict.fromkeys(forms, 200)
    assert [answer.headers["content-type"] for answer in forms.values()] == [
        "application/json",
        "text/csv; charset=utf-8",
        "text/plain; charset=utf-8",
        "text/html; charset=utf-8",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ]
    assert forms["json"].json()["rows"][0]["kept"] == 1
    assert forms["csv"].text.splitlines()[1].split(",")[3] == "total"
    assert "attachment" in forms["csv"].headers["content-disposition"]
    assert "100.0 %" in forms["text"].text
    assert '<p class="share">100.0<small>%</small></p>' in forms["html"].text
    assert forms["html"].headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert load_workbook(io.BytesIO(forms["xlsx"].content))["The promise, per ticket"]["D2"].value == 1


def test_breakdowns_are_added_to_the_rows(client: httpx.Client, hall: str) -> None:
    """`by` adds rows and takes none away; without it the answer is what it always was."""
    plain, more = (get(client, hall, "promise-report", **query).json() for query in ({}, {"by": "month,service.day"}))
    assert more["rows"][: len(plain["rows"])] == plain["rows"]
    added = more["rows"][len(plain["rows"]) :]
    assert [(row["scope"], row["service"]) for row in added] == [("month", None), ("cross", "tax"), ("cross", "land")]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("chart", ["wait", "distribution", "services", "counters", "days"])
def test_charts_of_today(client: httpx.Client, hall: str, chart: str, language: str) -> None:
    """Each chart is an image that any page may embed; asked again within a minute it is the same."""
    answer = get(client, hall, f"charts/{chart}.svg", language=language)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert (answer.headers["cache-control"], answer.headers["content-security-policy"]) == (
        "private, max-age=60",
        "default-src 'none'",
    )
    assert answer.text.startswith("<svg ")
    assert bool(re.search("[\u4e00-\u9fff]{2}</title>", answer.text)) == (language == "zh-CN")
    client.post(f"/v1/halls/{hall}/tickets", json={"service": "tax"})
    assert get(client, hall, f"charts/{chart}.svg", language=language).content == answer.content


@pytest.mark.parametrize(
    ("place", "query", "status", "said"),
    [
        ("promise-report", {"by": "colour"}, 422, "There is no breakdown by 'colour'; there are day, week,"),
        ("promise-report", {"format": "pdf"}, 422, "/query/format: Input should be 'text', 'csv', 'xlsx', 'json' or"),
        ("promise-report", {"language": "fr"}, 422, "/query/language: Input should be 'en' or 'zh-CN'"),
        ("promise-report", {"day": DAY, "from": DAY}, 422, "Give either day, or from and to."),
        ("promise-report", {"from": DAY, "to": "2026-03-01"}, 422, "from comes first"),
        ("charts/pie.svg", {}, 422, "/path/chart: Input should be 'wait',"),
        ("charts/wait.svg", {"day": "1066-10-14"}, 422, "1066-10-14: the year must be between 1971 and 9998."),
        ("charts/wait.png", {}, 404, "is not in the contract"),
    ],
)
def test_what_cannot_be_reported_is_a_problem(
    client: httpx.Client, hall: str, place: str, query: dict[str, str], status: int, said: str
) -> None:
    """A clear answer that names what there is."""
    answer = get(client, hall, place, **query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("place", "query", "named"),
    [
        ("promise-report", {"day": "9999-12-31"}, "day"),
        ("promise-report", {"day": "1970-01-01"}, "day"),
        ("legs.csv", {"day": "0001-01-01"}, "day"),
        ("promise-report", {"from": "1970-12-31", "to": DAY}, "from"),
        ("promise-report", {"from": DAY, "to": "9999-01-01"}, "to"),
        ("promise-report", {"to": "0001-01-01"}, "to"),
    ],
)
def test_a_year_beyond_what_clocks_know_is_named_with_its_place(
    client: httpx.Client, hall: str, place: str, query: dict[str, str], named: str
) -> None:
    """What is wrong is the year, and it stands in the parameter that was given."""
    answer = get(client, hall, place, **query)
    assert (answer.status_code, answer.json()["place"]) == (422, f"/query/{named}")
    assert answer.json()["detail"] == f"{query[named]}: the year must be between 1971 and 9998."


def test_an_unknown_hall_has_neither_report_nor_charts(client: httpx.Client) -> None:
    """404 for both."""
    for place in ("promise-report", "charts/wait.svg"):
        answer = get(client, "nowhere", place)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-hall")


def test_an_empty_range_is_a_report_of_nothing(client: httpx.Client, hall: str) -> None:
    """Days long past: every form is there and says that nobody was counted."""
    for form in ("json", "csv", "text", "html", "xlsx"):
        answer = get(client, hall, "promise-report", **{"from": "2001-01-01", "to": "2001-12-31", "format": form})
        assert answer.status_code == 200, answer.text
    found = json.loads(get(client, hall, "promise-report", day="2001-01-01").text)
    assert (found["rows"][0]["counted"], found["rows"][0]["share"], found["course"]) == (0, None, [])
