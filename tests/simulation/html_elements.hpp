#pragma once

#include <algorithm>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::simulation {

inline size_t occurrences(std::string_view text, std::string_view of) {
  size_t count = 0;
  for (auto at = text.find(of); at != text.npos; at = text.find(of, at + of.size()))
    ++count;
  return count;
}

/// As XML has it: all that is opened is closed, in order; each '<' begins a tag, and each '&' one
/// of the five entities; no attribute without quotes.
inline void expect_well_formed(const std::string& page) {
  const auto begin = page.find("<html");
  ASSERT_EQ(page.substr(0, begin), "<!doctype html>\n");
  const auto text = page.substr(begin);
  const std::regex tag{R"re(<(/?)([a-z0-9]+)((?:\s+[a-zA-Z][a-zA-Z0-9-]*="[^"<]*")*)\s*(/?)>)re"};
  std::vector<std::string> open;
  size_t tags = 0;
  for (std::sregex_iterator i{text.begin(), text.end(), tag}, end; i != end; ++i, ++tags) {
    if ((*i)[4].length() > 0)
      continue;
    if ((*i)[1].length() == 0) {
      open.push_back((*i)[2]);
      continue;
    }
    ASSERT_FALSE(open.empty()) << "nothing is open for </" << (*i)[2] << ">";
    ASSERT_EQ(open.back(), (*i)[2]);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(occurrences(text, "<"), tags) << "something that is no tag";
  size_t entities = 0;
  for (const auto* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"})
    entities += occurrences(text, entity);
  EXPECT_EQ(occurrences(text, "&"), entities);
}

/// Fetches nothing, runs nothing, shows no number that is none.
inline void expect_harmless(const std::string& page) {
  EXPECT_NE(page.find("default-src 'none'"), page.npos);
  for (const std::string_view forbidden :
       {"<script", "<img", "<link", "http://", "https://", "url(", "@import",
        "src=", "href=", "\x1b", "nan", " inf"})
    EXPECT_EQ(page.find(forbidden), page.npos) << forbidden;
}

} // namespace jackfield::simulation
