"""What the installers say of Voxline, each in its system's own language, from one place."""

from __future__ import annotations

import configparser
import importlib.metadata
import json
import os
import plistlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import build
import for_linux
import for_macos
import for_windows
import freeze
import frozen_parts
import needs
import product
import pytest
from product import Product

import app
from app.cli.parser import build_window_parser
from app.language import NAMES as LANGUAGES
from app.worker import messages, packs
from tests.packaging.conftest import CHECKOUT

PACKAGING = CHECKOUT / "packaging"
ENTITLEMENTS = {
    "com.apple.security.device.audio-input",
    "com.apple.security.cs.allow-unsigned-executable-memory",
    "com.apple.security.cs.disable-library-validation",
}


def desktop_entry() -> configparser.ConfigParser:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    entry.read(PACKAGING / "linux" / "voxline.desktop", "utf-8")
    return entry


def test_the_version_is_the_app_s() -> None:
    assert product.product().version == app.__version__


def test_without_a_home_page_nothing_points_anywhere(what: Product) -> None:
    nowhere = replace(what, home_page="")
    assert nowhere.releases == ""
    assert "http" not in for_linux.metainfo(nowhere).replace(".xml", "")
    assert what.releases == "https://example.org/voxline/voxline/releases"


@pytest.mark.parametrize("page", ["https://example.org", "http://example.org/a/b", "ftp://a/b/c"])
def test_only_a_repository_s_page_has_releases(what: Product, page: str) -> None:
    assert replace(what, home_page=page).releases == ""


def test_every_action_of_the_desktop_entry_is_understood() -> None:
    entry = desktop_entry()
    main = entry["Desktop Entry"]
    actions = main["Actions"].strip(";").split(";")
    assert {f"Desktop Action {name}" for name in actions} == set(entry.sections()) - {
        "Desktop Entry"
    }
    for section in entry.sections():
        program, *arguments = entry[section]["Exec"].split()
        assert program == product.WINDOW
        files = ["/home/Zoë/a talk.mp4" if each == "%F" else each for each in arguments]
        build_window_parser().parse_args(files)


def test_the_window_belongs_to_the_desktop_entry() -> None:
    application = (CHECKOUT / "app/ui/desktop/application.py").read_text("utf-8")
    assert f'setDesktopFileName("{product.COMMAND}")' in application


def test_metainfo_is_of_this_version_and_day(what: Product) -> None:
    root = ET.fromstring(for_linux.metainfo(what))
    release = root.find("releases/release")
    assert release is not None
    assert release.attrib == {"version": "1.2.3", "date": "2026-01-01"}
    assert root.findtext("id") == product.APP_ID
    assert [each.text for each in root.findall("provides/mediatype")] == list(for_linux.MEDIA)
    assert root.findtext("launchable") == "voxline.desktop"
    image = root.findtext("screenshots/screenshot/image") or ""
    path = image.removeprefix("https://example.org/voxline/voxline/raw/v1.2.3/")
    assert (CHECKOUT / path).is_file()


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="appstreamcli is not installed")
def test_metainfo_satisfies_appstream(what: Product, tmp_path: Path) -> None:
    file = tmp_path / f"{product.APP_ID}.metainfo.xml"
    file.write_text(for_linux.metainfo(what), "utf-8")
    command = ["appstreamcli", "validate", "--no-net", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(
    shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed"
)
def test_the_desktop_entry_is_valid(tmp_path: Path) -> None:
    text = (PACKAGING / "linux" / "voxline.desktop").read_text("utf-8")
    file = tmp_path / "voxline.desktop"
    file.write_text(text.replace("@MIME@", ";".join(for_linux.MEDIA) + ";"), "utf-8")
    done = subprocess.run(["desktop-file-validate", str(file)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_packages_own_no_folder_of_the_system_s(what: Product, tmp_path: Path) -> None:
    (tmp_path / "usr/lib/voxline/_internal").mkdir(parents=True)
    (tmp_path / "usr/share/applications").mkdir(parents=True)
    (tmp_path / "usr/share/applications/voxline.desktop").touch()
    (tmp_path / "usr/share/doc/voxline").mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/voxline").symlink_to("../lib/voxline/voxline")
    contents = for_linux.nfpm_settings(tmp_path, what, "2.36", ["libX11.so.6"])["contents"]
    folders = [entry["dst"] for entry in contents if entry.get("type") == "dir"]
    assert folders == ["/usr/lib/voxline", "/usr/lib/voxline/_internal", "/usr/share/doc/voxline"]
    link = next(entry for entry in contents if entry["dst"] == "/usr/bin/voxline")
    assert (link["type"], link["src"]) == ("symlink", "../lib/voxline/voxline")


def test_a_library_without_a_known_package_stops_the_build() -> None:
    assert needs.debian(["libX11.so.6", "libX11-xcb.so.1", "libbrotlidec.so.1"]) == [
        "libbrotli1", "libx11-6", "libx11-xcb1",
    ]  # fmt: skip
    with pytest.raises(needs.UnknownLibraryError, match=r"libnew\.so\.3"):
        needs.debian(["libX11.so.6", "libnew.so.3"])


@pytest.mark.skipif(shutil.which("readelf") is None, reason="binutils is not installed")
def test_what_is_carried_is_not_asked_for(tmp_path: Path) -> None:
    import _ssl

    folder = tmp_path / "_internal"
    folder.mkdir()
    shutil.copy(_ssl.__file__, folder / "_ssl.so")
    assert any(name.startswith("libssl.so") for name in needs.libraries(folder))
    for name in needs.needed_by(folder / "_ssl.so"):
        (folder / name).touch()
    assert needs.libraries(folder) == ["libpulse.so.0"]


def test_the_c_library_s_version_is_read_from_the_binaries(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(b"\x7fELF\0GLIBC_2.4\0GLIBC_2.34\0GLIBC_PRIVATE\0")
    (tmp_path / "text").write_bytes(b"GLIBC_9.99")
    assert for_linux.glibc_needed(tmp_path) == "2.34"


def test_a_debian_changelog_has_the_build_s_time(what: Product) -> None:
    text = for_linux.debian_changelog(what)
    assert text.startswith("voxline (1.2.3-1) unstable; urgency=medium\n")
    assert text.endswith("  Thu, 01 Jan 2026 00:00:00 +0000\n")


def test_the_property_list_asks_for_the_microphone_and_the_computer_s_sound(what: Product) -> None:
    told = plistlib.loads(plistlib.dumps(for_macos.information(what)))
    assert set(told) == {
        "CFBundleIdentifier", "CFBundleName", "CFBundleDisplayName", "CFBundleExecutable",
        "CFBundleShortVersionString", "CFBundleVersion", "CFBundleDocumentTypes",
        "CFBundleDevelopmentRegion", "CFBundleLocalizations",
        "LSApplicationCategoryType", "LSMinimumSystemVersion", "LSUIElement",
        "NSAudioCaptureUsageDescription", "NSHighResolutionCapable", "NSHumanReadableCopyright",
        "NSMicrophoneUsageDescription",
    }  # fmt: skip
    for key in ("NSMicrophoneUsageDescription", "NSAudioCaptureUsageDescription"):
        assert told[key].endswith("The sound stays on this computer.")
    assert told["CFBundleVersion"] == "1.2.3"
    assert set(told["CFBundleLocalizations"]) == set(LANGUAGES)
    assert told["CFBundleIdentifier"] == product.APP_ID


def wheel_for(tmp_path: Path, *tags: str) -> frozen_parts.Distribution:
    info = tmp_path / "thing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
    (info / "WHEEL").write_text("".join(f"Tag: {tag}\n" for tag in tags))
    metadata = importlib.metadata.PathDistribution(info)
    return frozen_parts.Distribution("thing", "1.0", metadata)


@pytest.mark.parametrize(
    "tags",
    [
        ["py3-none-any"],
        ["cp311-abi3-macosx_14_0_arm64"],
        ["cp39-abi3-macosx_10_13_x86_64", "cp39-abi3-macosx_13_0_universal2"],
    ],
)
def test_wheels_run_on_the_oldest_macos_that_is_promised(tmp_path: Path, tags: list[str]) -> None:
    for_macos.check_oldest([wheel_for(tmp_path, *tags)])


def test_a_wheel_for_a_newer_macos_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(freeze.BuildProblem, match=r"thing needs macOS 15\.0, not 14\.0"):
        for_macos.check_oldest([wheel_for(tmp_path, "cp311-abi3-macosx_15_0_arm64")])


def test_a_tool_that_fails_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(made: Path, what: Product) -> Path:
        raise subprocess.CalledProcessError(1, ["mksquashfs"])

    def sound(made: Path, what: Product) -> Path:
        target = tmp_path / "dist" / "voxline.rpm"
        target.write_bytes(b"x")
        return target

    (tmp_path / "dist").mkdir()
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(freeze, "existing", lambda: tmp_path)
    monkeypatch.setitem(build.BUILDS, "appdir", (broken, (sys.platform,)))
    monkeypatch.setitem(build.BUILDS, "rpm", (sound, (sys.platform,)))
    assert build.main(["appdir", "rpm", "--reuse"]) == 1
    told = capsys.readouterr().err
    assert "appdir could not be built: Command '['mksquashfs']' returned" in told
    assert "rpm: dist" in told


def test_the_entitlements_are_these_and_no_more() -> None:
    told = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert told == dict.fromkeys(ENTITLEMENTS, True)


SCRIPTS = sorted([*PACKAGING.rglob("*.sh"), PACKAGING / "linux" / "AppRun"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_bash(script: Path) -> None:
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_credentials_an_image_is_left_unsigned_and_it_is_said(tmp_path: Path) -> None:
    script = PACKAGING / "macos" / "sign_notarise.sh"
    env = {"PATH": os.environ["PATH"]}
    command = ["bash", str(script), "dmg", "Voxline.dmg"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0
    assert "not notarised" in done.stderr


def test_with_credentials_an_image_is_signed_sent_to_apple_and_stapled(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    for name in ("codesign", "xcrun"):
        program = tmp_path / name
        program.write_text(f'#!/bin/bash\necho "{name} $*" >> {log}\n')
        program.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "VOXLINE_SIGN_IDENTITY": "Developer ID Application: Zoë (A1B2C3)",
        "VOXLINE_NOTARY_KEY": "key.p8",
        "VOXLINE_NOTARY_KEY_ID": "K",
        "VOXLINE_NOTARY_ISSUER": "I",
    }
    script = str(PACKAGING / "macos" / "sign_notarise.sh")
    subprocess.run(["bash", script, "dmg", "Voxline.dmg"], env=env, check=True)
    calls = log.read_text("utf-8").splitlines()
    assert [" ".join(call.split()[:3]) for call in calls] == [
        "codesign --force --timestamp",
        "xcrun notarytool submit",
        "xcrun stapler staple",
        "xcrun stapler validate",
    ]


def test_the_app_is_sealed_again_after_the_notices(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    program = tmp_path / "codesign"
    program.write_text(f'#!/bin/bash\nprintf "%s\\n" "$*" >> {log}\n')
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "VOXLINE_SIGN_IDENTITY": "Developer ID"}
    script = str(PACKAGING / "macos" / "sign_notarise.sh")
    subprocess.run(["bash", script, "app", "Voxline.app"], env=env, check=True)
    sign, verify = log.read_text("utf-8").splitlines()
    assert "--options runtime" in sign
    assert f"--entitlements {PACKAGING / 'macos' / 'entitlements.plist'}" in sign
    assert verify.startswith("--verify --deep --strict")


def test_the_manifest_knows_screens_of_different_density() -> None:
    root = ET.parse(PACKAGING / "windows" / "voxline.manifest").getroot()
    told = {each.tag.rpartition("}")[2]: each.text for each in root.iter()}
    assert told["dpiAwareness"] == "PerMonitorV2"
    assert told["longPathAware"] == "true"


@pytest.mark.parametrize(
    ("version", "numbers"), [("0.1.0", "0.1.0.0"), ("1.2.3", "1.2.3.0"), ("2.0rc1", "2.0.0.0")]
)
def test_windows_has_versions_of_four_numbers(version: str, numbers: str) -> None:
    assert for_windows.four_numbers(version) == numbers


def test_the_setup_script_gets_every_name_it_uses(what: Product, tmp_path: Path) -> None:
    script = (PACKAGING / "windows" / "installer.nsi").read_text("utf-8")
    used = set(re.findall(r"\$\{([A-Z0-9_]+)\}", script))
    own = set(re.findall(r"^\s*!define (\w+)", script, re.MULTILINE))
    given = {
        part.lstrip("/-")[1:].split("=")[0]
        for part in for_windows.nsis_command("makensis", tmp_path, what, tmp_path / "x.exe")
        if part.lstrip("/-").startswith("D")
    }
    builtin = {"MUI_PAGE_LICENSE"}
    assert used - own - builtin <= given
    assert {"VERSION", "PAYLOAD", "TARGET"} <= given


@pytest.mark.skipif(sys.platform == "win32", reason="the program of this test is a shell script")
def test_nsis_is_found_where_its_setup_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "NSIS" / "makensis"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setenv("ProgramFiles(x86)", str(tmp_path))
    assert for_windows.find_makensis() is None
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert for_windows.find_makensis() == str(program)


@pytest.mark.skipif(shutil.which("makensis") is None, reason="NSIS is not installed")
def test_the_setup_compiles_without_a_warning(what: Product, tmp_path: Path) -> None:
    payload = tmp_path / "a folder with spaces"
    payload.mkdir()
    for name in ("voxline.exe", "voxline-gui.exe"):
        (payload / name).write_bytes(b"MZ")
    icon = freeze.SCRATCH / "icons" / "voxline.ico"
    if not icon.is_file():
        import icons

        icons.write_all(icon.parent)
    target = tmp_path / "Voxline-1.2.3-setup.exe"
    command = for_windows.nsis_command("makensis", payload, what, target)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert target.read_bytes()[:2] == b"MZ"


def test_a_portable_zip_is_the_same_each_time(
    what: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(for_windows, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "platform", "win32")
    made = tmp_path / "made"
    made.mkdir()
    (made / "voxline.exe").write_bytes(b"MZ" * 1000)
    first = for_windows.portable(made, what).read_bytes()
    os.utime(made / "voxline.exe", (1, 1))
    assert for_windows.portable(made, what).read_bytes() == first


def test_what_cannot_be_built_here_is_said_with_the_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert build.main(["dmg"]) == 1
    assert "dmg cannot be built here. It holds a Mac app" in capsys.readouterr().err


def test_checksums_are_read_by_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "voxline_1.2.3-1_amd64.deb").write_bytes(b"x")
    sums = build.write_checksums(tmp_path).read_text("ascii")
    assert sums.startswith("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  vox")
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("told_in", [CHECKOUT / "README.md", Path(str(packs.__file__))])
def test_a_pack_as_it_is_described_is_one_that_this_app_takes(told_in: Path) -> None:
    (told,) = re.findall(r'\{"pack".*?\}', told_in.read_text("utf-8"))
    manifest = json.loads(told)
    assert manifest["pack"] == packs.FORMAT
    assert manifest["protocol"] == messages.PROTOCOL_VERSION
    assert set(manifest["engines"]) <= set(packs.NEEDS)
