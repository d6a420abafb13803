# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The initial RAM file system: busybox, a kernel's modules in the order of their loading, the guest's
scripts. What is written is the same for the same content: no times, no owners."""

import lzma
import pathlib
import re
import stat

# What Debian's kernels may have as modules and the boards have as devices.
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "nvme")
# Where in the archive the modules are, and the file that lists them in the order of their loading.
MODULE_DIRECTORY = "modules"
MODULE_LIST = "modules/order"

SUFFIXES = (".ko", ".ko.xz")
TRAILER = "TRAILER!!!"


class Archive:
    """A cpio archive of the form `newc`, as the kernel unpacks it."""

    def __init__(self):
        self._bytes = bytearray()
        self._inode = 0
        self._directories = set()

    def add_file(self, path, content, executable=False):
        """Adds a file, and the directories above it that are not there yet."""
        self._make_parents(path)
        self._add(path, stat.S_IFREG | (0o755 if executable else 0o644), content)

    def add_directory(self, path):
        """Adds a directory, if it is not there yet, and those above it."""
        if path in self._directories:
            return
        self._make_parents(path)
        self._directories.add(path)
        self._add(path, stat.S_IFDIR | 0o755, b"")

    def add_link(self, path, target):
        """Adds a symbolic link."""
        self._make_parents(path)
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def add_device(self, path, major, minor):
        """Adds a character device."""
        self._make_parents(path)
        self._add(path, stat.S_IFCHR | 0o600, b"", major, minor)

    def finish(self):
        """The whole archive."""
        self._add(TRAILER, 0, b"")
        return bytes(self._bytes)

    def _make_parents(self, path):
        parent = path.rpartition("/")[0]
        if parent:
            self.add_directory(parent)

    def _add(self, path, mode, content, major=0, minor=0):
        self._inode += 1
        name = path.encode() + b"\0"
        fields = (
            self._inode if mode else 0,
            mode,
            0,  # owner
            0,  # group
            1,  # links
            0,  # time
            len(content),
            0,
            0,
            major,
            minor,
            len(name),
            0,  # check sum, which this form has not
        )
        self._bytes += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        self._pad()
        self._bytes += content
        self._pad()

    def _pad(self):
        self._bytes += bytes(-len(self._bytes) % 4)


class Kernel:
    """An unpacked kernel package of Debian; newer ones have all below `usr`, and the kernel beside its modules."""

    def __init__(self, root):
        self.modules = _one(
            (path for lib in ("lib", "usr/lib") for path in root.glob(f"{lib}/modules/*")),
            f"module directory below {root}",
        )
        self.image = _one(
            [*root.glob("boot/vmlinuz-*"), *self.modules.glob("vmlinuz")], f"kernel below {root}"
        )
        self.release = self.modules.name
        built_in = (self.modules / "modules.builtin").read_text("utf-8").split()
        self._built_in = {_module_name(path) for path in built_in}
        self._files = {}
        for path in self.modules.glob("kernel/**/*"):
            if path.name.endswith(SUFFIXES):
                self._files[_module_name(path.name)] = path

    def in_order(self, names):
        """The modules `names` and what they depend on, (name, content), dependencies first; without
        what is built in."""
        found = {}
        for name in names:
            self._collect(name, found, ())
        return list(found.items())

    def _collect(self, name, found, above):
        if name in found or name in self._built_in:
            return
        if name in above:
            raise ValueError(f"{name}: depends on itself")
        if name not in self._files:
            raise ValueError(f"Linux {self.release} has no module {name}")
        content = _module_content(self._files[name])
        for dependency in _dependencies(content):
            self._collect(dependency, found, (*above, name))
        found[name] = content


def program(root, name):
    """The program `name` of an unpacked package."""
    paths = [root / directory / name for directory in ("bin", "usr/bin")]
    return _one(filter(pathlib.Path.is_file, paths), f"program {name} below {root}")


def _one(paths, what):
    paths = sorted(paths)
    if len(paths) != 1:
        raise ValueError(f"{len(paths)} times a {what}, where one is due")
    return paths[0]


def _module_name(path):
    name = pathlib.PurePath(path).name
    return name[: name.index(".ko")].replace("-", "_")


def _module_content(path):
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def _dependencies(module):
    """What a module says that it depends on; the section `.modinfo` is a list of texts."""
    match = re.search(rb"\0depends=([^\0]*)\0", module)
    if not match:
        raise ValueError("a module does not say what it depends on")
    return [name.replace("-", "_") for name in match[1].decode().split(",") if name]


def build(kernel, busybox, scripts, own_modules=(), texts=None, more=()):
    """The archive for `kernel` with the program `busybox`, the `scripts` by their paths, one of which is
    `init`, the files of `own_modules`, which the scripts load, `texts` by their paths, which they read, and `more`
    modules of the kernel that are not loaded at start."""
    archive = Archive()
    for directory in ("proc", "sys", "dev", "tmp", "root"):
        archive.add_directory(directory)
    # The kernel opens the console for init before anything is mounted.
    archive.add_device("dev/console", 5, 1)
    archive.add_file("bin/busybox", busybox, executable=True)
    archive.add_link("bin/sh", "busybox")
    order = kernel.in_order(MODULES)
    for name, content in order:
        archive.add_file(f"{MODULE_DIRECTORY}/{name}.ko", content)
    for name, content in kernel.in_order(more):
        archive.add_file(f"{MODULE_DIRECTORY}/{name}.ko", content)
    for path in own_modules:
        archive.add_file(f"{MODULE_DIRECTORY}/{path.name}", path.read_bytes())
    archive.add_file(MODULE_LIST, "".join(f"{name}\n" for name, _ in order).encode())
    for name, content in scripts.items():
        archive.add_file(name, content, executable=True)
    for name, text in (texts or {}).items():
        archive.add_file(name, text.encode())
    return archive.finish()
