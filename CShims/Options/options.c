// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "COptions.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

// Above every character, so that no short option can be mistaken for a long one.
enum { first_code = 0x100 };

static const struct option long_options[] = {
    {"json", no_argument, NULL, first_code + options_json},
    {"perfetto", no_argument, NULL, first_code + options_perfetto},
    {"svg", required_argument, NULL, first_code + options_svg},
    {"page-size", required_argument, NULL, first_code + options_page_size},
    {"help", no_argument, NULL, first_code + options_help},
    {"version", no_argument, NULL, first_code + options_version},
    {NULL, 0, NULL, 0},
};

options_item options_next(int argc, char **argv) {
  static bool scanned;
  // An unknown short option, alone: getopt names it by its character only.
  static char short_option[3] = "-?";

  if (!scanned) {
    opterr = 0;
    // '-': operands are returned in their order, as the argument of code 1; ':': a missing argument
    // is told apart from an unknown option.
    int code = getopt_long(argc, argv, "-:", long_options, NULL);
    switch (code) {
      case -1:
        scanned = true;
        break;
      case 1:
        return (options_item){options_operand, optarg};
      case ':':
        return (options_item){options_incomplete, argv[optind - 1]};
      case '?':
        if (optopt > 0 && optopt < first_code) {
          short_option[1] = (char)optopt;
          return (options_item){options_unknown, short_option};
        }
        return (options_item){options_unknown, argv[optind - 1]};
      default:
        return (options_item){(options_kind)(code - first_code), optarg};
    }
  }
  if (optind < argc) return (options_item){options_operand, argv[optind++]};
  return (options_item){options_end, NULL};
}
