#include "app/sipp_options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace jackfield::app {

namespace {

constexpr std::array<std::string_view, 6> several_letters = {"inf", "rp", "au", "ap", "mi", "mp"};

} // namespace

std::vector<std::string> from_sipp_habits(std::vector<std::string> arguments) {
  for (auto& a : arguments) {
    if (a.size() < 3 || a[0] != '-' || a[1] == '-')
      continue;
    if (std::find(several_letters.begin(), several_letters.end(), std::string_view{a}.substr(1)) !=
        several_letters.end())
      a = "-" + a;
  }
  return arguments;
}

} // namespace jackfield::app
