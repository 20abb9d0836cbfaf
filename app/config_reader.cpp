#include "app/config_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/scenario/arrivals.hpp"

namespace jackfield::app {

namespace {

std::string listed(std::initializer_list<std::string_view> words) {
  std::string out;
  for (auto word = words.begin(); word != words.end(); ++word)
    out.append(word == words.begin() ? "" : word + 1 == words.end() ? " or " : ", ").append(*word);
  return out;
}

} // namespace

result<std::string> read_config_text(const std::string& path) {
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  if (file)
    text << file.rdbuf(); // which fails for an empty file, too
  if (!file || (text.fail() && errno != 0))
    return fail_errno(path, "cannot be read", errno);
  return text.str();
}

void config_reader::allow(const table& in, std::string_view place,
                          std::initializer_list<std::string_view> keys) {
  for (const auto& [key, value] : in)
    if (std::find(keys.begin(), keys.end(), key.str()) == keys.end())
      faults_.push_back(
        {path_ + ":" + std::to_string(key.source().begin.line) + ": " + std::string{key.str()},
         "is unknown in " + std::string{place} + ", expected " + listed(keys)});
}

std::optional<std::string> config_reader::text(const table& in, std::string_view key) {
  const auto* const value = in.get(key);
  if (value == nullptr)
    return std::nullopt;
  if (const auto* const said = value->as_string(); said != nullptr && !said->get().empty())
    return said->get();
  fault(*value, key, "is no text, expected \"...\" with something in it");
  return std::nullopt;
}

std::vector<std::string> config_reader::texts(const table& in, std::string_view key) {
  const auto* const value = in.get(key);
  std::vector<std::string> out;
  if (value == nullptr)
    return out;
  if (const auto* const one = value->as_string()) {
    out.push_back(one->get());
    return out;
  }
  const auto* const array = value->as_array();
  if (array == nullptr) {
    fault(*value, key, "is no list of texts, expected [\"...\", \"...\"]");
    return out;
  }
  for (const auto& each : *array)
    if (const auto* const one = each.as_string())
      out.push_back(one->get());
    else
      fault(each, key, "has something that is no text, expected [\"...\", \"...\"]");
  return out;
}

void config_reader::flag(const table& in, std::string_view key, bool& into) {
  const auto* const value = in.get(key);
  if (value == nullptr)
    return;
  if (const auto* const said = value->as_boolean())
    into = said->get();
  else
    fault(*value, key, "expected true or false");
}

void config_reader::time(const table& in, std::string_view key, std::chrono::nanoseconds& into) {
  parsed(in, key, into, [&](const std::string& s) { return scenario::parse_duration(key, s); });
}

std::string config_reader::beside(const std::string& name) const {
  return (std::filesystem::path{path_}.parent_path() / name).string();
}

} // namespace jackfield::app
