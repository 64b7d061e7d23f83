"""Package metadata; `pip install .` makes every `sb-*` command."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (HERE / "specbridge_tools/__init__.py").read_text()).group(1)
COMMANDS = (
    "embed-mols",
    "build-index",
    "finetune",
    "embed-spectra",
    "query",
    "rerank",
    "evaluate",
    "report",
    "split",
    "merge",
    "info",
    "models",
    "convert",
)
TEST = ["hypothesis>=6.100", "pytest>=8", "pytest-timeout>=2.3", "pytest-xdist>=3.6", "psutil>=5.9", "matplotlib>=3.8", "nbclient>=0.10", "ipykernel>=6", "pandas>=2"]

setup(
    name="specbridge_tools",
    version=VERSION,
    description="Small Unix-style commands that name the molecule behind an MS/MS spectrum",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The specbridge_tools authors",
    license="MIT AND CC-BY-SA-4.0",
    license_files=["LICENSE", "specbridge_tools/pretrained/LICENSE*"],
    keywords="mass spectrometry, tandem MS, metabolomics, molecule identification, embeddings",
    packages=find_packages(include=["specbridge_tools", "specbridge_tools.*"]),
    package_data={"specbridge_tools.pretrained": ["*.safetensors", "*.md", "LICENSE*"]},
    python_requires=">=3.10,<3.14",
    install_requires=[
        "click>=8.1",
        "h5py>=3.10",
        "huggingface_hub>=0.24",
        "ijson>=3.3",
        "lxml>=4.9",
        "numpy>=1.26",
        "platformdirs>=4",
        "pyteomics>=4.7",
        "rdkit>=2023.9",
        "rich>=13",
        "safetensors>=0.4.3",
        "scipy>=1.11",
        "threadpoolctl>=3",
        "torch>=2.4,<2.14",
        "transformers>=4.44",
    ],
    extras_require={
        "graph": ["hnswlib>=0.8"],
        "ivf": ["faiss-cpu>=1.12"],
        "plot": ["matplotlib>=3.8"],
        "test": TEST,
        "lint": ["build>=1.2", "codespell>=2.3", "coverage>=7.6", "mypy>=1.11", "pytest-cov>=5", "ruff==0.17.*", "uv>=0.4"],
    },
    entry_points={
        "console_scripts": [f"sb-{name} = specbridge_tools.cli.{name.replace('-', '_')}:main" for name in COMMANDS]
    },
    classifiers=[
        "Environment :: Console",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Chemistry",
    ],
)
