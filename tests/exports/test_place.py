"""Where exports go: beside the run, whole or not at all, nothing overwritten unasked."""

import pytest

from cli import app
from sim.exports import FORMATS, default_place
from sim.exports.place import write_whole
from sim.shell.errors import guarded
from sim.vocabulary import InputError


def call(capsys, *arguments):
    code = guarded(app, ["export", *(str(argument) for argument in arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"duckdb"}))
def test_the_same_run_gives_the_same_bytes(exported, tmp_path, folder, capsys, name):
    first, again = exported(name), tmp_path / "again"
    code, said, errors = call(capsys, folder, "--to", name, "--out", again)
    assert (code, said, errors) == (0, f"{again}\n", "")
    names = FORMATS[name].files
    for one, other in [(first / file, again / file) for file in names] or [(first, again)]:
        assert one.read_bytes() == other.read_bytes()
    if names:
        assert sorted(path.name for path in again.iterdir()) == sorted(names)


def test_by_default_an_export_lies_beside_its_run(tmp_path, monkeypatch):
    assert default_place(tmp_path / "noon", "csv") == tmp_path / "noon-csv"
    (tmp_path / "noon").mkdir()
    monkeypatch.chdir(tmp_path / "noon")
    assert default_place(type(tmp_path)("."), "csv") == tmp_path / "noon-csv"


def test_a_second_export_replaces_the_first_only_by_force(folder, tmp_path, capsys):
    out = tmp_path / "tables"
    assert call(capsys, folder, "--to", "csv", "--out", out)[0] == 0
    (out / "orders.csv").write_text("mine")
    code, said, errors = call(capsys, folder, "--to", "csv", "--out", out)
    assert (code, said, errors.count("\n")) == (2, "", 1)
    assert "is there already" in errors
    assert (out / "orders.csv").read_text() == "mine"
    assert call(capsys, folder, "--to", "csv", "--out", out, "--force")[0] == 0
    assert (out / "orders.csv").read_text() != "mine"
    (out / "letter.txt").write_text("dear")
    code, _, errors = call(capsys, folder, "--to", "csv", "--out", out, "--force")
    assert code == 2
    assert "letter.txt" in errors
    assert (out / "letter.txt").exists()


def test_nothing_is_written_into_a_finished_run(folder, capsys):
    for out in (folder, folder / "tables", folder / "deep" / "tables"):
        code, _, errors = call(capsys, folder, "--to", "csv", "--out", out, "--force")
        assert (code, errors.count("\n")) == (2, 1)
    assert not (folder / "tables").exists()


def test_what_breaks_off_leaves_nothing_behind(tmp_path):
    def breaks(work):
        work.write_text("half")
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        write_whole(tmp_path / "half.json", (), breaks, force=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "--to", "csv"), "nowhere: expected a finished run's folder"),
        ((".", "--to", "xls"), "--to xls: expected one of: csv"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, out, errors = call(capsys, *arguments)
    assert (code, out, errors.count("\n")) == (2, "", 1)
    assert said in errors


def test_the_help_names_every_format_and_where_it_goes(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    code, said, _ = call(capsys, "--help")
    assert code == 0
    assert all(name in said for name in FORMATS)
    assert "beside the run's folder" in said
