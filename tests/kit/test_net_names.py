"""Names whose server is silent: who asked for one waits as long as they said, and nobody else does."""

import pytest

from tests.kit.hanging_names import asked, possible

pytestmark = pytest.mark.skipif(not possible(), reason="only root may put a name server in place")


def test_a_process_ends_while_a_look_up_hangs(tmp_path):
    assert asked("fetch", tmp_path) == ["timeout"]


def test_a_name_is_judged_while_others_hang(tmp_path):
    assert asked("check", tmp_path) == ["refused"]
