#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "engine/error/error.hpp"

namespace jackfield::app {

/// All of a file's text; what it is that cannot be read, and why.
result<std::string> read_config_text(const std::string& path);

/// Reads values of a TOML file, and collects what is wrong with them, each fault with file, line
/// and what was expected: it is told whole. What is not there changes nothing. For sources that
/// read a configuration: the library behind it takes seconds to compile.
class config_reader {
public:
  using table = toml::table;

  /// `path` outlives it.
  explicit config_reader(const std::string& path) : path_(path) {}

  void fault(const toml::node& where, std::string_view key, std::string cause) {
    faults_.push_back(
      {path_ + ":" + std::to_string(where.source().begin.line) + ": " + std::string{key},
       std::move(cause)});
  }
  /// Names each key that is none of these.
  void allow(const table& in, std::string_view place, std::initializer_list<std::string_view> keys);
  /// Each entry of an array of tables.
  template <class Read>
  void each_table(const toml::node& all, std::string_view key, Read&& read);

  std::optional<std::string> text(const table& in, std::string_view key);
  std::vector<std::string> texts(const table& in, std::string_view key);
  template <class T>
  void number(const table& in, std::string_view key, T& into, int64_t least, int64_t most);
  void flag(const table& in, std::string_view key, bool& into);
  void time(const table& in, std::string_view key, std::chrono::nanoseconds& into);
  template <class T>
  void choice(const table& in, std::string_view key, T& into,
              std::initializer_list<std::pair<std::string_view, T>> all);
  /// What `read` makes of a text; its error is placed.
  template <class T, class Read>
  void parsed(const table& in, std::string_view key, T& into, Read&& read);
  /// A path that is relative to the file.
  [[nodiscard]] std::string beside(const std::string& name) const;

protected:
  const std::string& path_;
  std::vector<error> faults_;
};

template <class Read>
void config_reader::each_table(const toml::node& all, std::string_view key, Read&& read) {
  const auto* const array = all.as_array();
  if (array == nullptr) {
    fault(all, key, fmt::format("is no list of tables, expected [[{}]]", key));
    return;
  }
  for (const auto& one : *array)
    if (const auto* const each = one.as_table())
      read(*each);
    else
      fault(one, key, fmt::format("is no table, expected [[{}]]", key));
}

template <class T>
void config_reader::number(const table& in, std::string_view key, T& into, int64_t least,
                           int64_t most) {
  const auto* const value = in.get(key);
  if (value == nullptr)
    return;
  const auto* const said = value->as_integer();
  if (said != nullptr && said->get() >= least && said->get() <= most)
    into = static_cast<T>(said->get());
  else
    fault(*value, key,
          "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

template <class T>
void config_reader::choice(const table& in, std::string_view key, T& into,
                           std::initializer_list<std::pair<std::string_view, T>> all) {
  const auto said = text(in, key);
  if (!said)
    return;
  for (const auto& [name, value] : all)
    if (name == *said) {
      into = value;
      return;
    }
  std::string names;
  for (const auto& [name, value] : all)
    names.append(names.empty() ? "" : ", ").append(name);
  fault(*in.get(key), key, "\"" + *said + "\" is unknown, expected one of " + names);
}

template <class T, class Read>
void config_reader::parsed(const table& in, std::string_view key, T& into, Read&& read) {
  const auto said = text(in, key);
  if (!said)
    return;
  auto value = read(*said);
  if (value)
    into = std::move(*value);
  else
    fault(*in.get(key), key, value.error().cause);
}

} // namespace jackfield::app
