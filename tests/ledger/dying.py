"""A process that dies at the n-th thing it asks of the file system from a moment on."""

import os
from multiprocessing import get_context

FORK = get_context("fork")
STEP = 1 if os.environ.get("SOAK") else 3  # how many requests apart the deaths of a campaign are
ASKED = ("open", "fsync", "fdatasync", "replace", "rename", "unlink", "rmdir")


def dies_at(count):
    """From now on this process is killed in front of its `count`-th request to open, flush, name or remove."""
    left = count

    def dying(ask):
        def asking(*given, **named):
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return ask(*given, **named)

        return asking

    for name in ASKED:
        setattr(os, name, dying(getattr(os, name)))


def killed(work, *given):
    """Whether a process that does this is killed on the way."""
    child = FORK.Process(target=_doing, args=(work, *given))
    child.start()
    child.join()
    assert child.exitcode in (0, 9)
    return child.exitcode == 9


def _doing(work, *given):
    work(*given)
    os._exit(0)
