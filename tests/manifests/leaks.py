"""Finds secrets in the sources of the manifests: objects of kind Secret with data, generators of such, private keys,
tokens of known services, and words too random to be anything else. A line is left alone when it says so:
# not-a-secret: reason"""
import collections
import math
import re

import yaml

TODO = "take it out, make it anew, and let the box make its own or the settings of the box give it"
KNOWN = [
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY"),
    ("an age key", r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("a cloud access key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("a payment key", r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    ("a Vault token", r"\bhvs\.[A-Za-z0-9_-]{20,}"),
    ("a registry token", r"\b(?:dckr_pat_|npm_)[A-Za-z0-9_-]{20,}"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),
    ("a cluster's token", r"\bK10[0-9a-f]{40,}"),
    ("a password hash", r"\$(?:2[aby]\$\d\d|apr1|5|6|y)\$[./A-Za-z0-9]{8,}"),
    ("a password in an address", r"://[^/\s:@{}$]+:[^/\s:@{}$]{4,}@"),
    ("a password", r"(?i)\b(?:password|passwd|api[-_]?key|secret[-_]?key|token)\b[\"']?\s*[:=]\s*[\"']?"
                   r"(?![\"'\s]|\$|/|true\b|false\b|null\b|none\b)[^\s\"',{}]{8,}"),
]
KNOWN = [(what, re.compile(pattern)) for what, pattern in KNOWN]
WORD = re.compile(r"(?<![\w./-])[A-Za-z0-9+_-][A-Za-z0-9+/_-]{31,}={0,2}(?![\w/-])")
DIGEST = re.compile(r"sha(?:256|384|512)[:-]$|(?:hash|digest|checksum|sha\d+)[\"']?\s*[:=]\s*[\"']?$", re.I)
PASS = re.compile(r"#.*\bnot-a-secret:\s*\S")


def entropy(word):
    """Bits a character."""
    counts = collections.Counter(word).values()
    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts)


def is_random(word):
    """Hexadecimal of 32 and more digits; else a mix of three classes that no prose or name has."""
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", word):
        return entropy(word) > 3.2
    classes = [re.search(c, word) for c in ("[a-z]", "[A-Z]", "[0-9]")]
    changes = len(re.findall(r"[a-z][A-Z0-9]|[A-Z][0-9]|[0-9][A-Za-z]", word))
    return all(classes) and entropy(word) > 4.2 and changes > len(word) / 5


def in_text(name, text):
    for n, line in enumerate(text.splitlines(), 1):
        if PASS.search(line):
            continue
        found = {what for what, pattern in KNOWN if pattern.search(line)}
        for m in WORD.finditer(line):
            if is_random(m[0]) and not DIGEST.search(line[:m.start()]):
                found.add("a random word")
        if found:
            yield f"{name}:{n}: secret: has {sorted(found)[0]}; {TODO}, or mark the line '# not-a-secret: reason'"


def in_objects(name, text):
    """Texts that are no YAML are yamllint's business."""
    try:
        docs = list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError:
        return
    for doc in docs:
        if not isinstance(doc, dict):
            continue
        if doc.get("kind") == "Secret" and (doc.get("data") or doc.get("stringData")):
            yield f"{name}: secret: the Secret {(doc.get('metadata') or {}).get('name')} has data; {TODO}"
        if doc.get("secretGenerator"):
            yield f"{name}: secret: generates a Secret out of what stands in the sources; {TODO}"


def scan(files):
    """Findings in {name: text}."""
    found = []
    for name, text in sorted(files.items()):
        found += in_text(name, text)
        if name.endswith((".yaml", ".yml")):
            found += in_objects(name, text)
    return found
