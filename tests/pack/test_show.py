"""The habilitation page: what it says is what the pack says, and it can be read on a screen and on paper."""

import csv
import io
import itertools
import os
import re
import shutil
import subprocess
import tomllib
from functools import cache
from html import unescape as html_unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from sidecar.authoring import bundle
from sidecar.authoring.explain.rows import Rulebook
from sidecar.authoring.show.gather import sheet
from sidecar.authoring.show.html import html
from sidecar.authoring.show.labels import KEYS, LABELS, LANGUAGES
from sidecar.authoring.show.markdown import markdown
from sidecar.authoring.show.parameters import ELSEWHERE
from sidecar.authoring.show.reach import SIGNS, Mark, Reach
from sidecar.authoring.show.sheet import Map, RuleSeen, Sheet
from sidecar.authoring.show.spreadsheet import spreadsheet
from sidecar.authoring.show.wording import Wording
from sidecar.authoring.stories import Answered
from sidecar.core import casbin_text
from sidecar.core.expression import parse
from sidecar.core.model import Decision, Effect, Request
from tests.cli.commands import run
from tests.stories import coverage, hospital

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policies" / "hospital"
each_language = pytest.mark.parametrize("language", LANGUAGES)


@cache
def made(language: str) -> Sheet:
    return sheet(hospital.pack(), language)


@cache
def page_of(language: str) -> str:
    return html(made(language))


def square(table: Map, profile: str, column: str) -> str:
    """A square as the legend writes it."""
    columns = [each.code for band in table.columns for each in band.columns]
    [line] = [line for band in table.lines for line in band.lines if line.name.code == profile]
    return " ".join(f"{part.letter}:{part.mark}" for part in line.squares[columns.index(column)])


# ---- the page and the pack


@each_language
def test_everything_a_pack_names_has_a_label_in_both_languages_and_nothing_else_has(language: str) -> None:
    pack, rows = hospital.pack().pack, written_rows()
    tables = bundle.sentences(hospital.pack().files)[language]
    groups = {section: {row[2] for row in rows if row[0] == section} for section in ("g", "g2", "g3", "g4")}
    cited = {source for row in rows if row[0].startswith("p") for source in row[-1].split()}
    cited |= {source for each in pack.settings.values() for source in each.source.split()}
    cited |= {source for each in pack.legal_bases.values() for source in each.source.split()}
    cited |= {source for each in pack.origins.values() for source in each.source.split()}
    windows = {kind for kind, window in pack.vocabulary.relations.items() if window.before or window.after}
    wanted = {
        "reasons": set(pack.reasons),
        "obligations": {name for name, each in pack.obligations.items() if not each.advice},
        "advice": {name for name, each in pack.obligations.items() if each.advice},
        "motives": {*pack.break_glass.motives, *pack.vocabulary.heir_motives},
        "profiles": set(pack.vocabulary.profiles) | groups["g"],
        "categories": set(pack.vocabulary.categories) | groups["g2"],
        "actions": set(pack.vocabulary.actions) | groups["g3"],
        "purposes": set(pack.vocabulary.purposes) | groups["g4"],
        "tags": set(pack.vocabulary.tags),
        "flags": set(pack.vocabulary.flags),
        "kinds": {kind for each in pack.vocabulary.profiles.values() for kind in each.kinds},
        "relations": windows,
        "gates": set(pack.order.gates),
        "rules": {row[1] for row in rows if row[0] in ("p", "p2")},
        "settings": set(pack.settings),
        "sources": cited - set(pack.sources),
        "audiences": {each.audience for each in pack.break_glass.notices},
    }
    assert {name: set(table) for name, table in tables.items()} == wanted
    assert [text for table in tables.values() for text in table.values() if not text.strip()] == []


def test_labels_differ_between_the_languages_wherever_they_are_sentences() -> None:
    french, english = (bundle.sentences(hospital.pack().files)[language] for language in LANGUAGES)
    for table in ("reasons", "obligations", "advice", "motives", "settings", "sources"):
        assert [code for code, text in french[table].items() if text == english[table][code]] == []


def test_every_parameter_that_is_a_number_or_a_list_says_where_it_comes_from_and_who_sets_it() -> None:
    listed = [each for table in made("fr").parameters for each in table.listed]
    assert [each.key for each in listed if not (each.source and each.set_by)] == []


def test_every_origin_is_of_a_key_of_the_pack() -> None:
    shown = [each.key for table in made("fr").parameters for each in table.listed]
    stray = [key for key in hospital.pack().pack.origins if not any(f"{each}.".startswith(f"{key}.") for each in shown)]
    assert stray == []


def test_every_key_of_the_page_has_words_in_both_languages() -> None:
    used = set(re.findall(r"""\bt\("(\w+)"\)""", (ROOT / "sidecar/authoring/show/page.html.jinja").read_text()))
    assert used - LABELS.keys() == set()
    break_glass = tomllib.loads((PACK / "pack.toml").read_text())["break_glass"]
    assert {f"break_glass.{key}" for key in break_glass.keys() - ELSEWHERE} - KEYS.keys() == set()


def written_rows() -> list[list[str]]:
    lines = [
        line for name, text in hospital.pack().files.items() if name.endswith(".csv") for line in text.splitlines()
    ]
    return [[field.strip() for field in line.split(",")] for line in lines if line and not line.startswith("#")]


@each_language
def test_every_row_of_the_pack_is_on_the_page_with_its_condition_its_source_and_its_place(language: str) -> None:
    text = page_text(page_of(language))
    places = {f"{row.place}" for rules in every_rule(made(language)) for row in rules.rows}
    places |= {place for profile in made(language).profiles for cell in profile.cells for place in cell.places}
    missing = []
    for name, content in hospital.pack().files.items():
        for number, line in enumerate(content.splitlines() if name.startswith("rules/") else (), 1):
            if line and not line.startswith("#"):
                fields = casbin_text.split(line) or []
                condition = fields[5 if fields[0] == "p3" else 6]
                told = (
                    f"{name}:{number}" in places and (condition == "True" or condition in text) and fields[-1] in text
                )
                missing += [] if told else [f"{name}:{number}"]
    assert missing == []


@each_language
def test_the_places_of_cells_are_on_the_page_each_file_named_once_and_neighbours_as_a_run(language: str) -> None:
    cells = [cell for profile in made(language).profiles for cell in profile.cells]
    text = page_text(page_of(language))
    assert [cell.where for cell in cells if cell.where not in text] == []
    for cell in cells:
        told = [
            f"rules/{file}:{line}"
            for file, lines in (part.split(":") for part in cell.where.split("; "))
            for run in lines.split(", ")
            for line in range(int(run.split("-")[0]), int(run.split("-")[-1]) + 1)
        ]
        assert sorted(told) == sorted(cell.places)


def every_rule(shown: Sheet) -> list[RuleSeen]:
    """The rules the page tells row by row."""
    return [*(rule for gate in shown.gates for rule in gate.rules), *shown.grounds, *shown.duties, *shown.shut]


def page_text(page: str) -> str:
    """What a reader reads, in the order it is written."""
    reader = HTMLParser()
    said: list[str] = []
    reader.handle_data = said.append  # type: ignore[method-assign, assignment]
    reader.feed(page)
    return " ".join(" ".join(said).split())


# ---- the map and the decisions


@pytest.fixture(scope="module")
def asked() -> list[tuple[Request, Decision]]:
    """Every question of every story told under the pack's own settings, with its answer."""
    found = []
    for heard in coverage.told():
        for step in () if heard.story.settings else heard.story.steps:
            answer = heard.answers.get(step.index)
            if isinstance(step.what, Request) and isinstance(answer, Answered):
                found.append((step.what, answer.seen))
    return found


def astray(reach: Reach, asked: list[tuple[Request, Decision]]) -> list[str]:
    """Answers that the map says cannot be."""
    vocabulary, found = reach.pack.vocabulary, []
    for request, decision in asked:
        spot = request.subject.profile, request.resource.category, request.action
        if spot[0] not in vocabulary.profiles or spot[1] not in vocabulary.categories:
            continue
        mark, glass = reach.mark(*spot), reach.pack.break_glass.reason
        if decision.effect is Effect.PERMIT:
            shut = mark in (Mark.CLOSED, Mark.IDLE)
            if shut or (mark is Mark.GLASS and decision.true_reason != glass):
                found.append(f"{spot} is {mark}, and was permitted: {decision.true_reason}")
        elif decision.true_reason == "PROFILE_CATEGORY":
            plain = not request.resource.tags
            if mark is Mark.OPEN or (mark is Mark.TAGGED and plain and request.resource.tags is not None):
                found.append(f"{spot} is {mark}, and the matrix refused it")
    return found


def test_no_answer_of_any_story_contradicts_the_map(asked: list[tuple[Request, Decision]]) -> None:
    assert len(asked) > 1000
    assert astray(Reach(Rulebook(hospital.pack())), asked) == []


def test_a_map_drawn_without_a_row_or_without_a_condition_contradicts_the_stories(
    asked: list[tuple[Request, Decision]],
) -> None:
    """The twin: what the test above would let through if it looked at nothing."""
    pack = hospital.pack()
    given, taken = "M-medecin, medecin, ADM, lecture", "M-medecin, medecin, GEST, lecture"
    delegated = r"(M-secretaire, .*?), r\.subject\.delegation_covers\(.*?\),"
    shut = {name: text.replace(given, taken) for name, text in pack.files.items()}
    opened = {name: re.sub(delegated, r"\1, True,", text) for name, text in pack.files.items()}
    assert astray(Reach(Rulebook(replace(pack, files=shut))), asked)
    assert astray(Reach(Rulebook(replace(pack, files=opened))), asked)


@pytest.mark.parametrize(
    ("profile", "category", "said"),
    [
        ("medecin", "identite", "R:open"),
        ("medecin", "cr", "R:tagged W:tagged"),
        ("infirmier", "soins", "R:tagged W:tagged"),
        ("infirmier", "psy", "R:condition"),
        ("secretaire_medicale", "cr", "R:condition W:condition"),
        ("secretaire_medicale", "alertes", "R:glass"),
        ("admin_si", "cr", ""),
        ("maintenance", "technique", "R:open W:open"),
        ("job_interfaces", "sejour", "W:condition"),
        ("job_interfaces", "cr", ""),
        ("patient", "espace_personnel", "R:open W:open"),
    ],
)
def test_a_square_says_what_a_reader_of_the_pack_would_say(profile: str, category: str, said: str) -> None:
    assert square(made("fr").rights, profile, category) == said


def test_a_row_that_only_shuts_is_told_once_and_not_as_something_a_profile_may_do() -> None:
    shown = made("fr")
    [rule] = shown.shut
    assert {(row.profile.code, row.action.code, row.gives) for row in rule.rows} == {
        ("humain", "erase", "ERASURE_NOT_APPLICABLE")
    }
    cells = {profile.name.code: profile.cells for profile in shown.profiles}
    assert cells["admin_si"] == ()
    assert "ERASURE_NOT_APPLICABLE" not in page_text(page_of("fr")).split("Médecin medecin")[1].split("Interne")[0]


def test_marks_differ_without_colour() -> None:
    assert len(set(SIGNS.values())) == len(SIGNS) == len(Mark) - 1


def test_an_emergency_grant_opens_on_the_page_what_the_pack_lets_it_open() -> None:
    glass = {each.name.code: each.glass for each in made("fr").profiles if each.glass}
    assert set(glass) == set(hospital.pack().pack.break_glass.eligible)
    physician, clerk = glass["medecin"], glass["agent_admission"]
    assert {tag.code for tag in physician.tags} == {"psy", "addicto", "vih"}
    assert {"cr", "biologie"} <= {each.code for each in physician.reads}
    assert not {"espace_personnel", "secrets_patient"} & {each.code for each in physician.reads}
    assert "cr" not in {each.code for each in clerk.reads}
    assert clerk.writes == ()


# ---- words


@pytest.mark.parametrize(
    ("condition", "french", "english"),
    [
        ("True", "dans tous les cas", "in every case"),
        (
            "r.subject.in_care_team && !r.patient.deceased",
            "la personne fait partie de l'équipe de soins du patient, sauf si le patient est décédé",
            "the person is in the patient's care team, unless a death is recorded",
        ),
        (
            "!r.resource.sensitive || r.subject.is_author",
            "si l'objet porte une étiquette de sensibilité, alors la personne est l'auteur de l'objet",
            "if the object carries a tag of sensitive data, then the person is the author of the object",
        ),
        (
            "!(r.subject.is_author && r.authentication.younger_than(43200))",
            "sauf si la personne est l'auteur de l'objet et si l'authentification a moins de 12 h",
            "unless the person is the author of the object and the login is less than 12 h old",
        ),
    ],
)
def test_a_condition_is_a_sentence(condition: str, french: str, english: str) -> None:
    assert [Wording(language, {}).condition(parse(condition)) for language in LANGUAGES] == [french, english]


@each_language
def test_names_in_a_condition_stand_in_the_quotation_marks_of_the_language(language: str) -> None:
    assert ("«" in page_text(page_of(language))) == (language == "fr")


def test_a_refusal_says_if_and_unless() -> None:
    refusal = Wording("en", {}).refusal
    assert refusal(parse("r.device.compromised")) == "if the device is no longer safe"
    assert refusal(parse("!r.authentication.mfa")) == "unless two factors were used"
    assert refusal(parse("!r.context.motive_given || (!r.subject.in_care_team && !r.subject.is_author)")) == (
        "if it is false that a motive of the list is given, or (neither the person is in the patient's care team,"
        " nor the person is the author of the object)"
    )


@each_language
def test_no_value_of_a_parameter_is_a_bare_code_or_a_number_of_seconds(language: str) -> None:
    values = {each.key: each.value for table in made(language).parameters for each in table.listed}
    bare = [key for key, value in values.items() if re.fullmatch(r"REL_\w+|[A-Z_]+(\(\w+\))?|open|closed", value)]
    assert bare == []
    assert (values["idle_limit"], values["portal_idle_limit"]) == ("4 h", "10 min")
    assert values["announcement_months"] == {"fr": "1 mois", "en": "1 month"}[language]
    assert values["notice_version"] == {"fr": "aucune", "en": "none"}[language]
    assert values["blocked_bg"] == {"fr": "alerter", "en": "alert"}[language]
    assert values["mask_disclosure"] == {"fr": "rien", "en": "nothing"}[language]


# ---- the files


@each_language
def test_the_page_needs_nothing_else_and_its_links_lead_somewhere(language: str) -> None:
    page = page_of(language)
    assert re.findall(r"https?://|<script|<link|<img|src=|url\(|@import", page) == []
    assert f'<html lang="{language}">' in page
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    broken = set(re.findall(r'href="#([^"]+)"', page)) - set(ids)
    assert broken == set()


def test_what_a_pack_says_is_text_on_the_page_and_never_markup() -> None:
    pack = hospital.pack()
    texts = pack.files["texts/en.toml"].replace('"You are the author of this document."', "'<script>x</script> & | _'")
    hostile = sheet(replace(pack, files={**pack.files, "texts/en.toml": texts}), "en")
    assert "<script>" not in html(hostile)
    assert "&lt;script&gt;x&lt;/script&gt; &amp;" in html(hostile)
    assert "<script" not in html(replace(hostile, pack='"}</style><script>'))
    assert r"\<script\>x\</script\> & \| \_" in markdown(hostile)


@each_language
def test_the_spreadsheet_holds_every_square_and_every_row_and_no_formula(language: str) -> None:
    shown = made(language)
    lines = list(csv.DictReader(io.StringIO(spreadsheet(shown).removeprefix("\ufeff"))))
    squares = sum(len(line.squares) for band in shown.rights.lines for line in band.lines)
    assert sum(line["section"] == "matrix" for line in lines) == squares
    places = {line["place"] for line in lines}
    rules = [line for name, text in hospital.pack().files.items() if "rules/" in name for line in text.splitlines()]
    assert sum(line["section"] in ("gate", "ground", "obligation") for line in lines) == sum(
        line.startswith(("p,", "p2,")) for line in rules
    )
    assert "rules/gates.csv:5" in places
    assert [cell for line in lines for cell in line.values() if cell.startswith(("=", "+", "-", "@"))] == []


@each_language
def test_markdown_tables_have_as_many_cells_in_every_line(language: str) -> None:
    lines = markdown(made(language)).splitlines()
    tables = [list(group) for isrow, group in itertools.groupby(lines, lambda line: line.startswith("|")) if isrow]
    assert len(tables) > 40
    for table in tables:
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {len(re.findall(r"\|", table[1]))}, table[0]


def test_the_command_writes_the_same_page_each_time_and_says_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    done = run("policy", "show", str(PACK), "--html", "--language", "en", "-o", str(file))
    assert (done.code, done.out) == (0, "")
    assert file.read_text(encoding="utf-8") == page_of("en")
    assert run("policy", "show", str(PACK), "--md").out == markdown(made("fr"))
    assert run("policy", "show", str(PACK)).code == 2
    broken = tmp_path / "pack"
    shutil.copytree(PACK, broken)
    (broken / "rules" / "gates.csv").write_text("p, G-SUB-1\n")
    refused = run("policy", "show", str(broken), "--html")
    assert refused.code == 1
    assert "gates.csv:1" in refused.err


# ---- on a screen and on paper, in a browser

MEASURE = """<script>
const page = document.documentElement, all = [...document.querySelectorAll('td, th, p, dd, li')];
const cut = all.filter(each => each.clientWidth && each.scrollWidth > each.clientWidth + 1);
page.dataset.seen = [page.scrollWidth, innerWidth, cut.length].join(' ');
</script></body>"""


def browser(page: str, folder: Path, *options: str) -> str:
    """What Chromium prints on standard output for this page."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    found = shutil.which("chromium")
    assert found, "Chromium is missing: make setup installs it (as root: apt-get install chromium)"
    command = [found, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", *options]
    return subprocess.run([*command, file.as_uri()], check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("width", [1400, 700])
def test_nothing_is_cut_off_or_wider_than_the_screen(width: int, tmp_path: Path) -> None:
    page = page_of("fr").replace("</body>", MEASURE)
    dom = browser(page, tmp_path, f"--window-size={width},900", "--hide-scrollbars", "--dump-dom")
    [(wide, window, cut)] = re.findall(r'data-seen="(\d+) (\d+) (\d+)"', dom)
    assert int(wide) <= int(window)
    assert cut == "0"


def printed(page: str, paper: str, folder: Path) -> list[str]:
    """The pages of the print, each as the boxes of its words."""
    on_paper = page.replace("</head>", f"<style>@page {{ size: {paper} landscape }}</style></head>")
    browser(on_paper, folder, "--no-pdf-header-footer", f"--print-to-pdf={folder}/page.pdf")
    reader = shutil.which("pdftotext")
    assert reader, "poppler is missing: make setup installs it (as root: apt-get install poppler-utils)"
    boxes = subprocess.run([reader, "-bbox", f"{folder}/page.pdf", "-"], check=True, capture_output=True, text=True)
    return re.findall(r"<page .*?</page>", boxes.stdout, re.DOTALL)


PRINTS = [("A4", "fr", 842), *([("A3", "fr", 1191), ("A3", "en", 1191)] if os.environ.get("SOAK") else [])]


@pytest.mark.parametrize(("paper", "language", "width"), PRINTS)
def test_the_print_fits_its_paper_and_repeats_the_heads_of_tables(
    paper: str, language: str, width: int, tmp_path: Path
) -> None:
    pages = printed(page_of(language), paper, tmp_path)
    assert 20 < len(pages) < 80
    for number, page in enumerate(pages, 1):
        [size] = re.findall(r'<page width="([\d.]+)"', page)
        assert round(float(size)) == width
        edges = [
            (float(left), float(right)) for left, right in re.findall(r'xMin="([\d.-]+)".*?xMax="([\d.-]+)"', page)
        ]
        assert edges, f"page {number} is empty"
        assert min(left for left, _ in edges) >= 20, f"page {number}"
        assert max(right for _, right in edges) <= width - 20, f"page {number}"
    texts = [html_unescape(" ".join(re.findall(r">([^<]+)</word>", page))) for page in pages]
    foot = made(language).digest[:16]
    assert [n for n, text in enumerate(texts, 1) if f"{n} / {len(texts)}" not in text or foot not in text] == []
    for each in made(language).profiles:
        heading = f"{each.name.label} {each.name.code} "
        [below] = [text.split(heading, 1)[1] for text in texts if heading in text]
        table = LABELS["categories"][LANGUAGES.index(language)].upper()
        assert table in below or not each.cells, f"{heading} stands at the foot of a page"
    maps = [text for text in texts if LABELS["rights"][LANGUAGES.index(language)] in text]
    names = [each.name.label for each in made(language).profiles]
    assert any(all(name in text for name in names) for text in maps), "the matrix is on one page"
    head = LABELS["followed"][LANGUAGES.index(language)].upper()
    first = next(number for number, text in enumerate(texts) if head in text)
    assert len(texts) - first > 1
    assert all(head in text for text in texts[first:])
