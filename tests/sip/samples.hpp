#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::tests {

/// A message of another's collection, and what its VERDICTS.tsv says of it.
struct sip_sample {
  /// Its path below the folder asked for.
  std::string name;
  std::string text;
  /// Of the table: MUST_PARSE and so on; empty where the folder has none.
  std::string verdict;
  std::string expected;
  /// Stands for a folder that is absent; `text` says so.
  bool absent = false;

  friend std::ostream& operator<<(std::ostream& out, const sip_sample& s) { return out << s.name; }
};

/// The messages (.dat, .sip) below a folder of ../shared/data/sip, sorted by name; empty where that
/// is absent, as it is for whoever has only the project.
std::vector<sip_sample> sip_samples(std::string_view folder);

/// How many there are where that is not absent.
size_t sip_samples_known(std::string_view folder);

/// For INSTANTIATE_TEST_SUITE_P: as `sip_samples`, but where there are none, one that is absent.
std::vector<sip_sample> sip_samples_or_absent(std::string_view folder);

/// A test of each: skipped, and so counted, where they are absent.
class sip_sample_test : public testing::TestWithParam<sip_sample> {
protected:
  void SetUp() override {
    if (GetParam().absent)
      GTEST_SKIP() << GetParam().text;
  }
};

/// For INSTANTIATE_TEST_SUITE_P: the name in letters, digits and '_'.
struct sample_name {
  std::string operator()(const testing::TestParamInfo<sip_sample>& sample) const;
};

/// A plain INVITE with an offer.
extern const std::string invite;
/// The same message's 200 with a Record-Route, folded lines and compact names.
extern const std::string ok;

/// `text` with the first `from` replaced.
std::string with(std::string text, std::string_view from, std::string_view to);

} // namespace jackfield::tests
