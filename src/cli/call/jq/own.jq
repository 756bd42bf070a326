# What jq has and the library leaves to programs that use it.

def @csv:
  if isarray | not then error("\(tojson) cannot be written as csv: only a list can")
  else map(
    if . == null then ""
    elif isstring then "\"" + gsub("\""; "\"\"") + "\""
    elif isarray or isobject then error("\(tojson) is no value of csv")
    else tojson end
  ) | join(",") end;

def @tsv:
  if isarray | not then error("\(tojson) cannot be written as tsv: only a list can")
  else map(
    if . == null then ""
    elif isstring then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
    elif isarray or isobject then error("\(tojson) is no value of tsv")
    else tojson end
  ) | join("\t") end;

def toarray: if isarray then . else [.] end;
