"""The commands that ask a running sidecar: check, break-glass, status; and how every command reaches it."""

import json

import pytest

from tests.cli.commands import finish, run, start
from tests.cli.world import opening, question, who


def test_a_permit_is_printed_with_its_reason_its_duties_and_its_record_and_leaves_with_zero(world):
    said = world.run("check", world.file(question()))
    assert said.code == 0
    first, *rest = said.out.splitlines()
    assert first == "PERMIT  ALLOW_CARE_TEAM"
    assert rest[0] == "  You are on the patient's care team."
    assert "  obligation: LOG_FULL" in rest
    assert rest[-1].startswith("  recorded as ") and rest[-1].endswith(" of dpi-sidecar")


def test_a_refusal_says_whether_the_glass_may_be_broken_and_leaves_with_one(world):
    said = world.run("check", world.file(question("dr-nuit", "UF-SAU", "soins_urgence")))
    assert said.code == 1
    assert said.out.startswith("DENY  NO_RELATIONSHIP\n")
    assert "break-glass may be opened for MED: `dpi-sidecar break-glass open`" in said.out


def test_the_whole_answer_comes_as_json(world):
    said = world.run("check", world.file(question()), "--json")
    assert (said.code, said.json["effect"], said.json["reason"]) == (0, "PERMIT", "ALLOW_CARE_TEAM")
    assert isinstance(said.json["record"]["index"], int)
    assert said.json["break_glass"]["available"] is False


def test_a_question_may_come_on_standard_input_of_a_process(world):
    said = finish(start("check", "-", *world.reach()), json.dumps(question()))
    assert (said.code, said.out.splitlines()[0], said.err) == (0, "PERMIT  ALLOW_CARE_TEAM", "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "not JSON: Input data was truncated"),
        ({"subject": {"id": "a"}}, "Object missing required field `kind` - at `$.subject`"),
        ({"subject": who("a", "medecin", "U")["subject"] | {"wing": "B"}}, "unknown field `wing` - at `$.subject`"),
        (question() | {"resource": {"category": "cr", "tags": "VIP"}}, "Expected `array"),
    ],
)
def test_a_file_that_is_no_question_is_named_with_the_place_of_the_fault(world, content, sentence):
    path = world.file(content)
    said = world.run("check", path)
    assert said.code == 4
    assert said.err.startswith(f"dpi-sidecar: {path}: ")
    assert sentence in said.err


def test_a_file_that_is_not_there_is_named(world):
    said = world.run("check", world.folder / "nothing.json")
    assert (said.code, said.err) == (
        4,
        f"dpi-sidecar: {world.folder}/nothing.json: cannot be read: No such file or directory\n",
    )


def test_what_the_sidecar_finds_malformed_names_the_field(world):
    said = world.run("check", world.file(question() | {"action": ""}))
    assert said.code == 4
    assert said.err.startswith("dpi-sidecar: INVALID_ARGUMENT: action")


def test_nobody_asks_without_saying_who_they_are(world):
    said = run("check", world.file(question()), "--address", world.address)
    assert said.code == 2
    assert "say who calls: --token-file" in said.err


def test_half_a_certificate_is_a_wrong_command_line(world):
    said = run("check", world.file(question()), "--address", world.address, "--ca", "ca.pem")
    assert said.code == 2
    assert "--ca, --certificate and --key go together" in said.err


def test_a_token_the_sidecar_does_not_know_is_refused_as_such(world):
    said = world.run("check", world.file(question()), caller="nobody")
    assert (said.code, said.out) == (5, "")
    assert "UNAUTHENTICATED" in said.err


def test_a_caller_without_the_role_is_told_which_role_it_takes(world):
    said = world.run("check", world.file(question()), caller="feed")
    assert (said.code, said.err) == (5, "dpi-sidecar: PERMISSION_DENIED: this method is for the role dpi\n")


def test_where_no_sidecar_answers_there_is_no_answer(world):
    said = run("status", "--address", f"unix:{world.folder}/none.sock", "--token-file", world.folder / "dpi.token")
    assert (said.code, said.out) == (3, "")
    assert "no sidecar answers there" in said.err and "none.sock" in said.err
    assert len(said.err.splitlines()) == 1


def test_an_unknown_option_and_an_unknown_verb_are_wrong_command_lines(world):
    assert world.run("check", "--patient", "P1").code == 2
    assert run("chek").code == 2


def test_the_address_and_the_token_may_come_from_the_environment(world):
    reach = {
        "DPI_SIDECAR_ADDRESS": world.address,
        "DPI_SIDECAR_TOKEN_FILE": str(world.folder / "dpi.token"),
    }
    assert finish(start("check", world.file(question()), environment=reach)).code == 0


def test_a_grant_is_opened_used_shown_closed_and_then_opens_nothing(world):
    opened = world.run("break-glass", "open", world.file(opening()))
    assert opened.code == 0
    assert opened.out.startswith("PERMIT  ALLOW_BREAK_GLASS\n")
    [line] = [line for line in opened.out.splitlines() if line.startswith("  grant ")]
    grant = line.split()[1].rstrip(":")
    asked = question("dr-nuit", "UF-SAU", "soins_urgence", access_mode="bris_de_glace", grant=grant)
    assert world.run("check", world.file(asked)).code == 0

    shown = world.run("break-glass", "get", grant)
    assert shown.code == 0
    assert f"grant {grant}: open, until " in shown.out and "dr-nuit, URGENCE_VITALE" in shown.out

    closing = ("break-glass", "close", grant, "--subject", "dr-nuit", "--kind", "professionnel", "--profile", "medecin")
    closed = world.run(*closing, "--json")
    assert (closed.code, closed.json["state"]) == (0, "closed")
    assert world.run("break-glass", "get", grant, "--json").json["state"] == "closed"
    assert world.run("check", world.file(asked)).code == 1


def test_an_opening_that_is_refused_leaves_with_one_and_opens_nothing(world):
    unproven = opening() | {"authentication": {"mfa": False, "idle_s": 0, "remote": "none"}}
    said = world.run("break-glass", "open", world.file(unproven), "--json")
    assert (said.code, said.json["answer"]["effect"]) == (1, "DENY")
    assert "grant" not in said.json


def test_a_grant_nobody_opened_is_not_found(world):
    said = world.run("break-glass", "get", "none")
    assert said.code == 1
    assert "NOT_FOUND" in said.err


def test_closing_takes_who_closes(world):
    said = world.run("break-glass", "close", "none")
    assert said.code == 2
    assert "--subject" in said.err


def test_status_says_what_is_in_force_what_is_ready_and_how_far_each_feed_told(world):
    said = world.run("status", caller="auditor")
    assert said.code == 0
    assert "policy hospital " in said.out
    words = [line.split() for line in said.out.splitlines()]
    assert ["ledger", "yes"] in words
    assert any(line[:2] == ["330000001", "directive"] and line[-1] == "dpi" for line in words if line)


def test_status_comes_as_json_with_what_is_false_or_zero(world):
    said = world.run("status", "--json", caller="auditor")
    assert said.json["ready"] is True
    assert {room["name"]: room["ready"] for room in said.json["rooms"]} == dict.fromkeys(
        ("policy", "facts", "ledger", "emergencies"), True
    )
    assert said.json["facts_sequence"] > 0
