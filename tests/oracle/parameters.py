"""The values of pack.toml as the oracle reads them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def without_groups(parameters: Mapping[str, Any], is_in: Callable[[str, str, str], bool]) -> dict[str, Any]:
    """The parameters with the lists that may name groups spelt out, and those left out filled in."""
    vocabulary = {"denied_purposes": (), "write_actions": (), "protected_flags": (), "safety": {}, "clinical": ""}
    vocabulary |= {"consent_categories": (), "with_request": (), "specialties": {}, "secret_tags": ()}
    vocabulary |= {"heir_motives": (), "dim_profiles": ()}
    vocabulary |= parameters["vocabulary"]
    purposes = (*vocabulary["purposes"], *vocabulary["denied_purposes"])

    def spelt(section: str, listed: Iterable[str], known: Iterable[str]) -> list[str]:
        return [name for name in known if any(is_in(section, name, group) for group in listed)]

    vocabulary["profiles"] = {
        name: {**profile, "purposes": spelt("g4", profile["purposes"], purposes)}
        for name, profile in vocabulary["profiles"].items()
    }
    jobs = {
        name: {
            **job,
            "purposes": spelt("g4", job["purposes"], purposes),
            "categories": spelt("g2", job["categories"], vocabulary["categories"]),
            "actions": spelt("g3", job["actions"], vocabulary["actions"]),
            "write_categories": spelt("g2", job.get("write_categories", ()), vocabulary["categories"]),
        }
        for name, job in parameters.get("jobs", {}).items()
    }
    for key in ("consent_categories", "with_request"):
        vocabulary[key] = spelt("g2", vocabulary[key], vocabulary["categories"])
    vocabulary["write_actions"] = spelt("g3", vocabulary["write_actions"], vocabulary["actions"])
    rules = {"unknown_obligations": (), "unknown_advice": (), "override_profiles": (), "override_motives": ()}
    rules |= {"gates": (), "max_per_subject_24h": 0, "many_obligations": (), "override_obligations": ()}
    rules |= parameters["break_glass"]
    order = {"delegator_gates": ()} | parameters["order"]
    return {**parameters, "vocabulary": vocabulary, "jobs": jobs, "break_glass": rules, "order": order}
