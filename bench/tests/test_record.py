"""What was measured is what the documents say."""

import json

import pytest

from bench import record
from bench.plan import COUNT, FASTAPI, MILLION
from bench.report import markdown

RESULTS = record.read()


@pytest.mark.parametrize("document", record.DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_say_what_was_measured(document):
    text = document.read_text()
    assert "<!-- bench: " in text
    assert record.filled(text, RESULTS) == text


def test_all_tables_are_of_the_same_results():
    assert record.RESULTS.with_suffix(".md").read_text() == markdown(RESULTS)


def test_a_million_has_tables_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results.json")
    page = tmp_path / "page.md"
    monkeypatch.setattr(record, "DOCUMENTS", (page,))
    page.write_text(
        "<!-- bench: million -->\n<!-- /bench -->\n<!-- bench: scale -->\n<!-- /bench -->\n"
    )
    record.RESULTS.write_text(json.dumps(RESULTS))
    search = RESULTS["search"]["postgres"] | {"count": MILLION}
    record.add({"search": {"postgres": search}}, MILLION)
    assert record.read() == RESULTS
    assert record.read(MILLION)["search"]["postgres"]["count"] == MILLION
    assert "At 1,000,000 customers" in (tmp_path / "results-1000000.md").read_text()
    of_million, of_others = page.read_text().split("<!-- /bench -->\n")[:2]
    assert "| at 1,000,000 customers" in of_million
    assert "seed_customers" not in of_million  # which was not measured
    assert of_others.partition("\n")[2] == record.scale(RESULTS)


def test_a_million_invoices_take_the_place_of_fewer(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results.json")
    page = tmp_path / "page.md"
    monkeypatch.setattr(record, "DOCUMENTS", (page,))
    page.write_text(
        "<!-- bench: sales -->\n<!-- /bench -->\n<!-- bench: million -->\n<!-- /bench -->\n"
    )
    record.RESULTS.write_text(json.dumps(RESULTS))
    sales = RESULTS["calls"]["postgres"] | {"customers": 1_000, "books": {FASTAPI: 20_123}}
    for count in (COUNT, MILLION):
        record.add({"sales": {"postgres": sales | {"count": count}}}, count)
        told = page.read_text()
        assert f"In books of {count:,} invoices of 1,000 customers." in told
        assert f"{FASTAPI}: 20,123" in told
        assert "| find-or-create, made · PostgreSQL · ours, limits off" in told
        assert told.endswith("<!-- bench: million -->\n<!-- /bench -->\n")


def test_figures_stand_between_their_marks_alone():
    text = "before\n<!-- bench: scale -->\nold\n<!-- /bench -->\nbehind\n"
    before, table, behind = record.filled(text, RESULTS).partition(record.scale(RESULTS))
    assert before == "before\n<!-- bench: scale -->\n"
    assert table
    assert behind == "<!-- /bench -->\nbehind\n"


def test_a_run_of_one_section_leaves_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(record, "DOCUMENTS", (tmp_path / "page.md",))
    (tmp_path / "drills.md").write_text("none\n")
    page = tmp_path / "page.md"
    page.write_text("<!-- bench: scale -->\n<!-- /bench -->\n")
    record.RESULTS.write_text(json.dumps(RESULTS))
    packing = RESULTS["packing"]["sqlite"] | {"waits": [0.5, 7.123456]}
    record.add({"packing": {"sqlite": packing}})
    told = record.read()
    assert told["packing"]["sqlite"]["waits"] == [0.5, 7.123]
    assert told["packing"]["postgres"] == RESULTS["packing"]["postgres"]
    assert told["calls"] == RESULTS["calls"]
    assert "7.12" in page.read_text()
