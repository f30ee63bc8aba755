# What jq has and jaq does not.
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def toarray: if isarray then . else [.] end;
def leaf_paths: paths(scalars);
def ascii: [.] | implode;
def trimstr($x): ltrimstr($x) | rtrimstr($x);
def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) |
  reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def @csv: [.[] | if isstring then "\"" + gsub("\""; "\"\"") + "\""
  elif isnumber or isboolean then tostring
  elif . == null then ""
  else error("\(.) cannot be a field of CSV") end] | join(",");
def @tsv: [.[] | if isstring then
    gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
  elif isnumber or isboolean then tostring
  elif . == null then ""
  else error("\(.) cannot be a field of TSV") end] | join("\t");
