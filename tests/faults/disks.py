"""File systems that a test may fill."""

import os
import subprocess
from pathlib import Path


class SmallFileSystem:
    """A file system of a few megabytes, and a file that takes up the rest of it."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        """Mount it."""
        self.folder = folder
        folder.mkdir()
        options = ["-o", f"size={size_bytes}"]
        subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True, capture_output=True)

    def fill(self) -> None:
        """Write zeros until there is no room."""
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4_096)):
                    pass
            except OSError:
                return

    def clear(self) -> None:
        """Take the filler away."""
        (self.folder / "filler").unlink()

    def unmount(self) -> None:
        """Let go of it."""
        subprocess.run(["umount", str(self.folder)], check=True, capture_output=True)


def may_mount(folder: Path) -> bool:
    """Whether a file system may be mounted there."""
    if os.geteuid() != 0:
        return False
    try:
        SmallFileSystem(folder, 2**20).unmount()
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
