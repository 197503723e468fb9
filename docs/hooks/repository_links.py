"""A hook of MkDocs: links of the documentation to files of the repository lead to GitHub on the site."""

import re
from pathlib import Path

_OUTSIDE = re.compile(r'\]\(\.\./([^)#\s]+)')  # as in ](../configs/shapes.py)


def on_page_markdown(markdown: str, page, config, files) -> str:
    """Rewrite the links of one page.

    Raises:
        FileNotFoundError: A link names a file that the repository does not have.
    """
    root = Path(config.config_file_path).parent

    def on_github(link: re.Match) -> str:
        if not (root / link[1]).exists():
            raise FileNotFoundError(f'docs/{page.file.src_path} links to {link[1]}, which does not exist')
        kind = 'tree' if (root / link[1]).is_dir() else 'blob'
        return f']({config.repo_url.rstrip("/")}/{kind}/main/{link[1]}'

    return _OUTSIDE.sub(on_github, markdown)
