"""The wait records as CSV: exact, readable by spreadsheets, and without what is nobody's business."""

import csv
import io

from metrics.legs import HEADER, csv_line, legs_csv
from queue_service.domain import commands as c
from tests.metrics.driving import DAY, Drive, at


def text_of(drive: Drive, day: str = DAY) -> str:
    """The whole file."""
    return drive.database.read(lambda connection: "".join(legs_csv(connection, drive.view.rules, day)))


def lines_of(drive: Drive) -> list[dict[str, str]]:
    """The file as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(text_of(drive).removeprefix("\ufeff"))))


def test_it_begins_with_a_byte_order_mark_and_a_header(drive: Drive) -> None:
    """The first bytes say UTF-8, the first line the names; a day without tickets has no more."""
    assert text_of(drive).encode() == b"\xef\xbb\xbf" + ",".join(HEADER).encode() + b"\r\n"


def test_one_row_a_leg(drive: Drive) -> None:
    """Each wait and service has its row, exact to the millisecond, in the order they began."""
    ticket = drive.issue("tax", at_ms=at(9, ms=1))
    drive.send(c.CallNext("1"), at_ms=at(10, 15, 0, 4))
    drive.send(c.Recall(ticket))
    drive.send(c.Start(ticket), at_ms=at(10, 15, 30, 4))
    drive.send(c.Transfer(ticket, "land"), at_ms=at(10, 20))
    drive.send(c.CallNext("2"), at_ms=at(10, 20, 0, 7))
    drive.send(c.CallNext("2", finish_current=True), at_ms=at(10, 30))
    first, second = lines_of(drive)
    assert first == {
        "number": "A001",
        "leg": "1",
        "service": "tax",
        "service_name": "税务",
        "department": "finance",
        "counter": "1",
        "priority": "normal",
        "channel": "kiosk",
        "waiting_since": "2026-03-02T01:00:00.001Z",
        "called_at": "2026-03-02T02:15:00.004Z",
        "started_at": "2026-03-02T02:15:30.004Z",
        "ended_at": "2026-03-02T02:20:00.000Z",
        "wait_s": "4500.003",
        "walk_s": "30.000",
        "service_s": "",
        "start_implied": "0",
        "recalls": "1",
        "outcome": "transferred",
        "period": "peak",
        "promise_s": "600.000",
        "apart": "",
    }
    assert (second["leg"], second["wait_s"], second["start_implied"]) == ("2", "0.007", "1")
    assert (second["walk_s"], second["service_s"], second["outcome"]) == ("", "", "finished")


def test_a_running_wait_has_no_length_yet(drive: Drive) -> None:
    """What has not happened yet is empty."""
    drive.issue("tax", at_ms=at(9))
    (line,) = lines_of(drive)
    assert {line[name] for name in ("called_at", "started_at", "ended_at", "wait_s", "service_s", "outcome")} == {""}


def test_nobody_is_named(drive: Drive) -> None:
    """Neither the ticket's id, which lets one cancel it, nor the clerk is in the file."""
    ticket = drive.issue("tax", at_ms=at(9))
    drive.send(c.CallNext("1"))
    assert ticket not in text_of(drive)
    assert "clerk" not in text_of(drive)


def test_names_are_no_formulas(drive: Drive) -> None:
    """A name that a spreadsheet would run as a formula is disarmed."""
    drive.issue("land", at_ms=at(9))
    assert lines_of(drive)[0]["service_name"] == "'=land"
    assert csv_line(["=1", "+1", "-1", "@x", "\tx", "a=1", -1]) == "'=1,'+1,'-1,'@x,'\tx,a=1,-1\r\n"
