"""The mirror serves what downloads need: whole files, ranges, indexes, and nothing outside its root."""

import http.client
import threading
from pathlib import Path

import pytest
from scupi_provision.lab.mirror import start_mirror
from scupi_provision.lab.sources import write_index
from scupi_provision.lab.torch_source import project_name

BODY = bytes(range(256)) * 40


@pytest.fixture
def mirror(tmp_path):
    root = tmp_path / "root"
    (root / "pub").mkdir(parents=True)
    (root / "pub" / "git-1+2.tar.xz").write_bytes(BODY)
    (tmp_path / "secret").write_text("outside")
    server = start_mirror(root, 0, "the-nonce")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def get(mirror, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", mirror.server_port, timeout=10)
    try:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        reply = connection.getresponse()
        return reply, reply.read()
    finally:
        connection.close()


def test_a_whole_file(mirror):
    reply, body = get(mirror, "/pub/git-1%2B2.tar.xz")
    assert (reply.status, body) == (200, BODY)
    assert reply.headers["Accept-Ranges"] == "bytes"


def test_head_has_the_same_length_and_no_body(mirror):
    reply, body = get(mirror, "/pub/git-1+2.tar.xz", method="HEAD")
    assert (reply.status, body, reply.headers["Content-Length"]) == (200, b"", str(len(BODY)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=100-", BODY[100:]),
        ("bytes=0-0", BODY[:1]),
        ("bytes=10-19", BODY[10:20]),
        ("bytes=-7", BODY[-7:]),
        ("bytes=5-999999", BODY[5:]),
    ],
)
def test_a_range_resumes_a_download(mirror, asked, expected):
    reply, body = get(mirror, "/pub/git-1+2.tar.xz", Range=asked)
    assert (reply.status, body) == (206, expected)
    assert reply.headers["Content-Range"].endswith(f"/{len(BODY)}")


def test_a_range_beyond_the_end_is_refused(mirror):
    reply, _ = get(mirror, "/pub/git-1+2.tar.xz", Range=f"bytes={len(BODY)}-")
    assert (reply.status, reply.headers["Content-Range"]) == (416, f"bytes */{len(BODY)}")


def test_a_changed_file_is_not_resumed(mirror):
    """If-Range with the tag of another version gets the whole file, so two versions never mix."""
    reply, body = get(mirror, "/pub/git-1+2.tar.xz", Range="bytes=100-", If_Range='"old"')
    assert (reply.status, body) == (200, BODY)


def test_a_directory_is_listed(mirror):
    reply, _ = get(mirror, "/pub")
    assert (reply.status, reply.headers["Location"]) == (301, "/pub/")
    reply, body = get(mirror, "/pub/")
    assert (reply.status, b"git-1%2B2.tar.xz" in body) == (200, True)


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/pub/../../secret", "//../secret", "/x%00", "/no"])
def test_nothing_outside_the_root_is_served(mirror, path):
    assert get(mirror, path)[0].status == 404


def test_the_daemon_is_recognised(mirror):
    assert get(mirror, "/.lab")[1] == b"the-nonce"


def test_a_taken_port_is_replaced_by_a_free_one(mirror, tmp_path):
    other = start_mirror(tmp_path, mirror.server_port, "other")
    assert other.server_port != mirror.server_port
    other.server_close()


def test_the_index_names_each_wheel_with_its_hash(tmp_path):
    wheel = tmp_path / "typing_extensions-4.0-py3-none-any.whl"
    wheel.write_bytes(b"abc")
    folder = tmp_path / "index"
    folder.mkdir()
    write_index(folder, {project_name(wheel.name): [wheel]})
    page = (folder / "typing-extensions" / "index.html").read_text()
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert f'href="../{wheel.name}#sha256={digest}"' in page
    assert 'href="typing-extensions/"' in Path(folder / "index.html").read_text()
