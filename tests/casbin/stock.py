"""Stock PyCasbin, asked the same model and rows."""

import logging

import casbin
from casbin.persist.adapters.string_adapter import StringAdapter
from casbin.util import builtin_operators

logging.getLogger("casbin").setLevel(logging.CRITICAL)  # it writes a line for every refusal

# Functions of Casbin that PyCasbin has and does not register.
UNREGISTERED = {
    "keyGet": builtin_operators.key_get,
    "keyGet2": builtin_operators.key_get2,
    "keyGet3": builtin_operators.key_get3,
}


class Stock:
    """An enforcer of PyCasbin; `enforce` gives what it answers and tells, or the exception it raises."""

    def __init__(self, model: str, policy: str) -> None:
        made = casbin.model.Model()
        made.load_model_from_text(model)
        rows = policy.strip("\n")
        self.enforcer = casbin.Enforcer(made, StringAdapter(rows)) if rows else casbin.Enforcer(made)
        for name, function in UNREGISTERED.items():
            self.enforcer.fm.add_function(name, function)

    def enforce(self, values) -> tuple[bool, tuple[str, ...]] | Exception:
        try:
            allow, explain = self.enforcer.enforce_ex(*values)
        except Exception as error:
            return error
        return allow, tuple(explain)
