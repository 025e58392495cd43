"""The content of a web address, bounded in size and time; private addresses are refused unless allowed."""

import hashlib
import ipaddress
import zlib
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from knowledge.errors import DocumentError
from knowledge.ingest.deadline import Deadline, DeadlineTransport, resolve
from knowledge.ingest.document import Document, read_bytes
from knowledge.sandbox.client import Sandbox

MAX_REDIRECTS = 5
HEADERS = {"User-Agent": "Imprint (a person asked for this page)", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class WebLimits:
    """What one page may cost."""

    bytes: int = 50 * 2**20
    seconds: float = 30.0  # for the whole download, redirects included
    allow_private: bool = False  # addresses of this machine and of its own network


@dataclass(frozen=True)
class Download:
    """The response at an address."""

    source: str  # the address as it was given: what is cited
    url: str  # the last one, after redirects
    content_type: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Hash of the content."""
        return hashlib.sha256(self.data).hexdigest()


def is_url(text: str) -> bool:
    """Whether this is an address of the web and not a path."""
    return text.lower().startswith(("http://", "https://"))


def name_of(source: str) -> str:
    """A short name to show: of an address its host and last part, of a path its file name."""
    if not is_url(source):
        return PurePath(source).name or source
    parts = urlsplit(source)
    last = PurePosixPath(unquote(parts.path)).name
    return f"{parts.hostname or source}{f' / {last}' if last else ''}"


def read_download(
    download: Download, *, password: str | None = None, sandbox: Sandbox | None = None
) -> Document:
    """Read what was fetched. Raises as `read_bytes`."""
    parts = urlsplit(download.url)
    return read_bytes(
        PurePosixPath(unquote(parts.path)).name or parts.hostname or "page",
        download.data,
        source=download.source,
        content_type=download.content_type,
        password=password,
        sandbox=sandbox,
    )


def fetch(url: str, limits: WebLimits | None = None) -> Download:
    """The content at an address. The host is checked before every request, those of redirects too."""
    limits = limits or WebLimits()
    deadline = Deadline(limits.seconds)
    source = url
    with httpx.Client(
        transport=DeadlineTransport(deadline), follow_redirects=False, headers=HEADERS, timeout=None
    ) as client:
        for _ in range(MAX_REDIRECTS + 1):
            try:
                answer = _request(client, source, url, limits, deadline)
            except httpx.TimeoutException as error:
                raise DocumentError(f"{url}: it took more than {limits.seconds:g} seconds") from error
            except httpx.HTTPError as error:
                raise DocumentError(
                    f"{source}: cannot be fetched ({error or type(error).__name__})"
                ) from error
            except (httpx.InvalidURL, ValueError) as error:
                raise DocumentError(f"{url}: it redirects to what is no address ({error})") from error
            if isinstance(answer, Download):
                return answer
            url = answer
    raise DocumentError(f"{source}: it redirects more than {MAX_REDIRECTS} times")


def _request(
    client: httpx.Client, source: str, url: str, limits: WebLimits, deadline: Deadline
) -> Download | str:
    """The download, or the address that the server redirects to."""
    target = _target(url)
    address = _checked_address(target, limits.allow_private, deadline)
    # The connection goes to the very address that was checked: a name may answer otherwise the second time.
    pinned = target.copy_with(host=address)
    headers = {"Host": target.netloc.decode("ascii")}
    request = client.build_request(
        "GET", pinned, headers=headers, extensions={"sni_hostname": target.raw_host.decode("ascii")}
    )
    response = client.send(request, stream=True)
    try:
        if response.has_redirect_location:
            return urljoin(url, response.headers["location"])
        if response.status_code != 200:
            raise DocumentError(f"{url}: the server answered {response.status_code} {response.reason_phrase}")
        media_type = response.headers.get("content-type", "")
        return Download(source, url, media_type, _body(response, url, limits, deadline))
    finally:
        response.close()


def _body(response: httpx.Response, url: str, limits: WebLimits, deadline: Deadline) -> bytes:
    """The body, decompressed here within the limit: a small response may decompress to gigabytes."""
    coding = response.headers.get("content-encoding", "identity").lower()
    if coding not in ("identity", "gzip", "deflate"):
        raise DocumentError(f"{url}: the server packs its answer as {coding}, which was not asked for")
    decompressor = None if coding == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 32)
    data = bytearray()
    for chunk in response.iter_raw():
        try:
            data += decompressor.decompress(chunk, limits.bytes + 1) if decompressor else chunk
        except zlib.error as error:
            raise DocumentError(f"{url}: its packed answer is damaged ({error})") from error
        deadline.left()
        if len(data) > limits.bytes:
            raise DocumentError(f"{url}: it is larger than {limits.bytes / 2**20:,.2g} MiB")
    return bytes(data)


def _target(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise DocumentError(f"{url}: is not an address ({error})") from error
    if target.scheme not in ("http", "https") or not target.host:
        raise DocumentError(f"{url}: only http and https addresses are fetched")
    if b"%" in target.raw_host:  # no name has such a sign: it need not be looked up
        raise DocumentError(f"{url}: its host is neither a name nor an address")
    if target.userinfo:
        raise DocumentError(f"{url}: an address with a user name or password in it is not fetched")
    return target


def _checked_address(target: httpx.URL, allow_private: bool, deadline: Deadline) -> str:
    """The first address of the host; all of them must be public."""
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        addresses = resolve(target.raw_host.decode("ascii").strip("[]"), port, deadline)
    except (OSError, UnicodeError) as error:
        raise DocumentError(f"{target}: its host {target.host!r} is not known ({error})") from error
    for address in addresses:
        if not allow_private and not is_public(address):
            raise DocumentError(
                f"{target}: {target.host!r} is the private address {address}; "
                "it is fetched only where the settings allow private addresses"
            )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also when it is written as IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast
