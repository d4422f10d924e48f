#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns files and lists of names into C, so that a new migration, letter or dialect is a
file and a word in a list.

    embed.py migrations OUT.c FILE.sql...
    embed.py letters    OUT.c FILE.txt FILE.html...
    embed.py dialects   OUT.c NAME...
    embed.py passwords  OUT.c FILE.txt
"""
import re
import sys
from pathlib import Path

HEAD = "/* SPDX-License-Identifier: MIT */\n/* Made by src/embed.py. */\n"


def literal(text):
    """text as a C string, a line of it on a line."""
    escaped = []
    for line in text.splitlines(keepends=True):
        out = ""
        for octet in line.encode():
            if octet == 0x0A:
                out += "\\n"
            elif octet in (0x22, 0x5C, 0x3F) or not 0x20 <= octet < 0x7F:
                out += f"\\{octet:03o}"  # three digits: what follows cannot join
            else:
                out += chr(octet)
        escaped.append(f'\t\t"{out}"')
    return "\n".join(escaped) or '\t\t""'


def migrations(source, *files):
    rows = []
    for file in sorted(files):
        match = re.fullmatch(r"(\d{4})_(\w+)", Path(file).stem)
        if not match or int(match[1]) != len(rows) + 1:
            sys.exit(f"{file}: the next migration is {len(rows) + 1:04d}_name.sql")
        rows.append(f'\t{{ {int(match[1])}, "{match[2]}",\n{literal(Path(file).read_text())} }},\n')
    write(source, HEAD + '#include "store/schema.h"\n\n'
          + "const struct migration migrations[] = {\n" + "".join(rows) + "};\n"
          + f"const int migration_count = {len(rows)};\n")


def letters(source, *files):
    texts = {Path(f).name: Path(f).read_text() for f in files}
    names = sorted({Path(f).stem for f in files})
    rows = [f'\t{{ "{n}",\n{literal(texts[n + ".txt"])},\n{literal(texts[n + ".html"])} }},\n'
            for n in names]
    write(source, HEAD + '#include "mail/letters.h"\n\n'
          + "const struct letter_template letter_templates[] = {\n" + "".join(rows) + "};\n"
          + f"const size_t letter_template_count = {len(names)};\n")


def dialects(source, *names):
    write(source, HEAD + '#include "api/dialect.h"\n\n'
          + "".join(f"extern const struct dialect dialect_{n};\n" for n in names)
          + "\nconst struct dialect *const dialects[] = {\n"
          + "".join(f"\t&dialect_{n},\n" for n in names) + "};\n"
          + f"const size_t dialect_count = {len(names)};\n")


def passwords(source, file):
    """Lines as they are searched: sorted by octets, each once, in lower case. Comments begin with "# "."""
    lines = [l for l in Path(file).read_text().splitlines() if not l.startswith("# ") and l != "#"]
    octets = [l.encode() for l in lines]
    if octets != sorted(set(octets)) or any(l != l.lower() for l in octets):
        sys.exit(f"{file}: in lower case and sorted: LC_ALL=C sort -u")
    text = "".join(f"{l}\n" for l in lines)
    write(source, HEAD + '#include "passwords/blocklist.h"\n\n'
          + f"static const char lines[] =\n{literal(text)};\n\n"
          + "const struct blocklist blocklist_common = { .at = lines, .size = sizeof(lines) - 1 };\n")


def write(path, text):
    """Leaves a file alone that is right already: what depends on it is not built again."""
    path = Path(path)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


if __name__ == "__main__":
    {f.__name__: f for f in (migrations, letters, dialects, passwords)}[sys.argv[1]](*sys.argv[2:])
