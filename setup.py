"""Puts the dbt project into the wheel, and gives the package the project's version. All else says pyproject.toml."""

import re
import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from pci_log_review.common.shipped import FOLDER, shipped_files  # noqa: E402  # which needs the line before


class BuildWithProject(build_py):
    """An editable installation uses the project of its checkout, and gets no copy."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        project = Path(self.build_lib) / "pci_log_review" / FOLDER
        shutil.rmtree(project, ignore_errors=True)  # an earlier build's may have files that are gone
        for name in shipped_files(ROOT):
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, project / name)

    def get_source_files(self) -> list[str]:
        """What the source distribution has, so that a wheel can be built from it."""
        return [*super().get_source_files(), *shipped_files(ROOT)]


def version() -> str:
    """The version, which dbt_project.yml alone says."""
    found = re.search(r'^version: "(.+)"$', (ROOT / "dbt_project.yml").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit("dbt_project.yml has no version")
    return found[1]


setup(version=version(), cmdclass={"build_py": BuildWithProject})
