"""The embedded broker's messages appear whole or not at all."""

from pathlib import Path

from kombu import Connection

from ajansops import celery  # noqa: F401  # makes `files://` known


def folders(tmp_path: Path) -> dict[str, str]:
    names = ("data_folder_in", "control_folder", "processed_folder")
    for name in names:
        (tmp_path / name).mkdir()
    made = {name: str(tmp_path / name) for name in names}
    return made | {"data_folder_out": made["data_folder_in"], "store_processed": True}


def test_a_message_goes_through(tmp_path):
    with Connection("files://localhost", transport_options=folders(tmp_path)) as connection:
        queue = connection.SimpleQueue("q")
        queue.put({"n": 1})
        assert queue.get(timeout=5).payload == {"n": 1}


def test_no_reader_ever_sees_a_file_that_is_not_full(tmp_path, monkeypatch):
    seen = []

    def rename(self, target):
        queue = tmp_path / "data_folder_in"
        seen.append([file.name for file in queue.glob("*.whole.msg")])
        assert self.read_text().startswith("{")
        return original(self, target)

    original = Path.rename
    monkeypatch.setattr(Path, "rename", rename)
    with Connection("files://localhost", transport_options=folders(tmp_path)) as connection:
        connection.SimpleQueue("whole").put({"n": 1})
    assert seen == [[]]
