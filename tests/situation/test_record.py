"""The object and its record: tags, lifecycle by two clocks, death, flags."""

import pytest

from sidecar.core import instants
from sidecar.core.civil import midnight, retention
from tests.situation.builders import HOUR, NOW, asking, record, situation

PARIS = instants.parse


def resource(*facts, now=NOW, **said):
    return situation(*facts, request=asking(resource=said), now=now).resource


def states(*facts, now=NOW, **said):
    """Which of the four states hold."""
    said = {"lifecycle": None} | said
    asked = resource(*facts, now=now, **said)
    return {name for name in ("expired", "archived", "frozen", "invalidated") if getattr(asked, name)}


def test_a_sensitive_object_carries_a_tag_known_or_not():
    assert resource(tags=()).sensitive is False
    assert resource(tags=("psy",)).sensitive is True
    assert resource(tags=("never_heard_of",)).sensitive is True


def test_an_object_is_tagged_with_what_it_carries():
    assert resource(tags=("psy",)).tagged("psy") is True
    assert resource(tags=("vih",)).tagged("psy") is False


def test_an_object_is_only_tagged_when_every_tag_is_listed():
    assert resource(tags=("psy",)).only_tagged("psy", "vih") is True
    assert resource(tags=("psy", "vih")).only_tagged("psy", "vih") is True
    assert resource(tags=("psy", "vih")).only_tagged("psy") is False
    assert resource(tags=("psy", "never_heard_of")).only_tagged("psy", "vih") is False
    assert resource(tags=()).only_tagged("psy") is True


def test_a_draft_is_what_the_request_says_is_one():
    assert resource(lifecycle="brouillon").draft is True
    assert resource(lifecycle="actif").draft is False
    assert resource(lifecycle=None).draft is False


@pytest.mark.parametrize(
    ("lifecycle", "expected"),
    [
        ("actif", set()),
        ("brouillon", set()),
        ("expire", {"expired"}),
        ("archive", {"archived"}),
        ("gele", {"frozen"}),
        ("invalide", {"invalidated"}),
    ],
)
def test_the_lifecycle_is_what_the_request_or_the_record_says(lifecycle, expected):
    assert states(lifecycle=lifecycle) == expected
    assert states(record(lifecycle=lifecycle)) == expected
    assert states(record(lifecycle=lifecycle), lifecycle="actif") == expected


def test_what_the_record_says_holds_in_its_period_only():
    frozen = record(NOW, NOW + HOUR, lifecycle="gele")
    edges = (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)
    assert [resource(frozen, now=at).frozen for at in edges] == [False, True, True, False]


def test_another_patients_or_controllers_record_says_nothing_of_this_one():
    assert states(record(lifecycle="gele", patient_id="P2")) == set()
    assert states(record(lifecycle="gele", controller_id="C2")) == set()


def test_a_lifecycle_nobody_knows_is_as_if_it_were_not_said():
    asked = situation(request=asking(resource={"lifecycle": "flottant"}), marks={})
    assert asked.resource.frozen is None


CARE = PARIS("2006-03-10T12:00:00+01:00")


def test_a_record_expires_at_the_start_of_the_paris_day_twenty_years_after_the_last_care():
    due = PARIS("2026-03-10T00:00:00+01:00")
    kept = record(last_care=CARE)
    assert states(kept, now=due - 1) == set()
    assert states(kept, now=due) == {"expired"}


def test_a_record_is_archived_past_twenty_years_and_kept_until_the_28th_birthday():
    kept = record(last_care=CARE, birth_date="2000-06-15")
    past, due = PARIS("2026-03-10T00:00:00+01:00"), PARIS("2028-06-15T00:00:00+02:00")
    assert [states(kept, now=at) for at in (past - 1, past, due - 1, due)] == [
        set(), {"archived"}, {"archived"}, {"expired"},
    ]  # fmt: skip


def test_a_death_within_ten_years_of_the_last_care_brings_expiry_to_ten_years_from_it():
    kept = record(last_care=CARE, birth_date="2000-06-15", death_date="2010-07-01")
    due = PARIS("2020-07-01T00:00:00+02:00")
    assert states(kept, now=due - 1) == set()
    assert states(kept, now=due) == {"expired"}


def test_a_death_ten_years_or_more_after_the_last_care_changes_nothing():
    for death, due in (("2016-03-09", "2026-03-09T00:00:00+01:00"), ("2016-03-10", "2026-03-10T00:00:00+01:00")):
        kept = record(last_care=CARE, death_date=death)
        assert states(kept, now=PARIS(due) - 1) == set()
        assert states(kept, now=PARIS(due)) == {"expired"}


def test_litigation_suspends_expiry_and_the_record_is_archived():
    kept = record(last_care=CARE, flags=("litige",))
    assert states(kept, now=PARIS("2026-03-10T00:00:00+01:00") - 1) == set()
    assert states(kept) == {"archived"}
    assert situation(kept).patient.in_litigation is True


def test_the_clock_runs_whatever_the_request_says_of_the_object():
    assert states(record(last_care=CARE), lifecycle="actif") == {"expired"}


def test_without_a_known_last_care_no_clock_runs():
    assert states(record(birth_date="1950-01-01", death_date="1990-01-01")) == set()


def test_where_feeds_differ_the_later_date_counts():
    assert states(record(last_care=CARE), record(last_care=NOW - HOUR)) == set()


def test_an_answer_ends_when_the_record_falls_due():
    due = PARIS("2026-03-10T00:00:00+01:00")
    asked = situation(record(last_care=CARE), now=due - 1)
    assert asked.resource.expired is False
    assert asked.ends == due


def test_the_29th_of_february_is_the_1st_of_march_in_other_years():
    care = PARIS("2004-02-29T12:00:00+01:00")
    assert retention(care, "", "2005-01-01")[1] == midnight("2015-01-01")
    assert retention(care, "1999-12-31", "")[1] == midnight("2027-12-31")
    assert retention(PARIS("2003-02-28T23:30:00Z"), "", "")[1] == midnight("2023-03-01")  # Paris is a day ahead
    assert retention(PARIS("2000-02-29T12:00:00Z"), "1996-02-29", "")[1] == midnight("2024-02-29")
    assert retention(PARIS("2000-02-29T12:00:00Z"), "1996-02-29", "2004-02-29")[1] == midnight("2014-03-01")


def test_a_paris_midnight_knows_summer_time():
    assert midnight("2026-03-29") == PARIS("2026-03-28T23:00:00Z")
    assert midnight("2026-03-29", 1) == PARIS("2026-03-29T22:00:00Z")
    assert midnight("2026-10-25", 1) - midnight("2026-10-25") == 25 * HOUR
    with pytest.raises(ValueError, match="isoformat"):
        midnight("10/03/2026")


def patient(*facts, now=NOW):
    return situation(*facts, now=now).patient


def test_a_recorded_death_is_known():
    assert patient(record(death_date="2026-03-01")).deceased is True
    assert patient(record()).deceased is False
    assert patient(record(death_date="2026-03-01", patient_id="P2")).deceased is False


def test_days_since_death_are_paris_days():
    death = record(death_date="2026-03-01")
    last = PARIS("2026-04-01T00:00:00+02:00")  # day 30 is 31 March
    assert patient(death, now=last - 1).deceased_since_more_than(30) is False
    assert patient(death, now=last).deceased_since_more_than(30) is True
    assert patient(record()).deceased_since_more_than(30) is False


def test_flags_are_what_any_source_says_now():
    told = record(flags=("litige",)), record(flags=("detenu",))
    assert patient(*told).flagged("detenu") is True
    assert patient(*told).flagged("personnalite") is False
    assert patient(record(end=NOW, flags=("detenu",))).flagged("detenu") is False
    assert patient(record(end=NOW + 1, flags=("detenu",))).flagged("detenu") is True
    assert patient(record(flags=("detenu",), controller_id="C2")).flagged("detenu") is False


@pytest.mark.parametrize(("flag", "expected"), [("detenu", True), ("personnalite", True), ("litige", False)])
def test_a_protected_record_carries_one_of_the_packs_flags(flag, expected):
    assert patient(record(flags=(flag,))).protected_record is expected


def test_litigation_is_known_only_while_it_is_fresh():
    assert patient().in_litigation is False
    assert situation(record(flags=("litige",)), readable=False).patient.in_litigation is None
