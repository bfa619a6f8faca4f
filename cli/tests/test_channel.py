"""`rostrum channel` at a deployment that runs, and where there is nothing to be seen."""

from pathlib import Path

from cli.tests.site import HANDLE, TEXTS, Site, document, ran


def test_a_channel_is_found_by_its_id_and_by_its_handle(site: Site) -> None:
    by_id = document(site.run("channel", site.channel, "--json"))
    by_handle = document(site.run("channel", f"@{HANDLE.upper()}", "--json"))
    assert by_id == by_handle
    assert by_id["channel"] == site.channel
    assert by_id["title"] == "First \x1b light"
    assert (by_id["kind"], by_id["visibility"], by_id["posting"]) == ("group", "public", "members")
    assert (by_id["owner"], by_id["peer"], by_id["handle"]) == (site.owner.id, None, HANDLE)


def test_its_place_and_ids_are_those_of_the_log(site: Site) -> None:
    told = document(site.run("channel", site.channel, "--json"))
    assert told["topic"].startswith("channel-log-")
    assert (told["epoch"], told["base_offset"], told["base_id"]) == (1, 0, 1)
    assert (told["first"], told["head"]) == (1, len(TEXTS))
    assert told["created"] <= told["last_entry"]


def test_members_are_counted_by_role_and_who_is_more_comes_first(site: Site) -> None:
    told = document(site.run("channel", site.channel, "--json"))
    assert told["members"] == 2
    assert told["by_role"] == {"admin": 1, "owner": 1}
    assert told["banned"] == 1
    assert told["roles"] == [["admin", site.admin.id], ["owner", site.owner.id]]
    without = document(site.run("channel", site.channel, "--json", "--no-members"))
    assert (without["members"], without["roles"]) == (None, [])


def test_people_read_lines_that_no_title_can_break(site: Site) -> None:
    answer = site.run("channel", HANDLE)
    assert answer.exit_code == 0
    shown = dict(line.split("  ", 1) for line in answer.output.splitlines() if "  " in line)
    assert shown["title"].strip() == "First \\x1b light"
    assert "\x1b" not in answer.output
    assert shown["by role"].strip() == "1 admin, 1 owner"
    assert ["admin", site.admin.id] in [line.split() for line in answer.output.splitlines()]


def test_what_is_not_there_is_said_in_one_line(site: Site) -> None:
    unknown = site.run("channel", "01KA3Q5V8Z0J6T4M2N7R9X1C3E")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("Error: there is no channel 01KA3Q5V8Z0J6T4M2N7R9X1C3E;")
    nobody = site.run("channel", "@nobody")
    assert (nobody.exit_code, nobody.stderr.count("\n")) == (1, 1)
    assert "nothing has the handle 'nobody'" in nobody.stderr
    person = site.run("channel", "@olga")
    assert (person.exit_code, person.stderr.count("\n")) == (1, 1)
    assert "@olga is a person, not a channel" in person.stderr


def test_a_log_that_is_away_is_said_with_what_to_do(tmp_path: Path) -> None:
    answer = ran(tmp_path, "channel", HANDLE)
    assert answer.exit_code == 1
    assert "there is no log at" in answer.stderr
    assert "--log or ROSTRUM_LOG_URL" in answer.stderr


def test_a_log_of_no_form_is_wrong_use(tmp_path: Path) -> None:
    answer = ran(tmp_path, "channel", HANDLE, "--log", "ftp://there")
    assert answer.exit_code == 2
    assert "'ftp://there' names no log" in answer.stderr
