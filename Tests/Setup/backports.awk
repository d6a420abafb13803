# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# Reads apt's source files of either form, and writes an entry of the suite WANTED (-v wanted=WANTED) for each of
# the suite SUITE (-v suite=SUITE), in the same form as it was found:
#   -v form=sources   stanzas of fields (deb822)
#   -v form=list      one line an entry
# Comments are left out.

/^[ \t]*#/ { next }

form == "list" {
  # deb [options] URI suite component...
  for (field = 2; field < NF; field++) {
    if ($field == suite && $1 == "deb") {
      $field = wanted
      print
      break
    }
  }
  next
}

# A stanza is kept until its end, and written where its suites have the one that is looked for.
function finish() {
  if (isWanted) printf "%s\n", stanza
  stanza = ""
  isWanted = 0
}

/^[ \t]*$/ { finish(); next }

tolower($1) == "suites:" {
  for (field = 2; field <= NF; field++) if ($field == suite) isWanted = 1
  $0 = "Suites: " wanted
}

# Whatever would have the entry be left out for another architecture or because it is switched off.
tolower($1) == "architectures:" { next }

{ stanza = stanza $0 "\n" }

END { if (form == "sources") finish() }
