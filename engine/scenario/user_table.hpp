#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"

namespace jackfield::scenario {

/// The users of a run, one a row, as a CSV file names them.
///
/// The first line names the columns: `user`, `password`, `auth_user`, `domain`, `to`, `display`,
/// and any others, which headers may use as {name}. Separated by commas; fields may be quoted (RFC
/// 4180), and those that hold a quote must be. Blanks around a field that is not quoted are left
/// out. A file in SIPp's injection format (first line SEQUENTIAL, RANDOM or USER, fields separated
/// by ';', '#' comments) is read too: its columns are {field0}, {field1} ..., and its first two are
/// `user` and `password`.
///
/// No field holds a control character, so none can end a line of a header.
class user_table {
public:
  enum class order : uint8_t { sequential, random };

  /// Reads a whole file; an error names it, the line, and what was expected.
  static result<user_table> read(const std::string& path);
  /// Reads text; `place` stands for the file in errors.
  static result<user_table> parse(std::string_view place, std::string_view text);

  [[nodiscard]] size_t size() const noexcept {
    return columns_.empty() ? 0 : ends_.size() / columns_.size();
  }
  [[nodiscard]] order pick() const noexcept { return order_; }
  [[nodiscard]] const std::vector<std::string>& columns() const noexcept { return columns_; }
  /// The field of a row below `size()`, valid as long as the table, or nothing if there is no such
  /// column.
  [[nodiscard]] std::optional<std::string_view> field(size_t row,
                                                      std::string_view column) const noexcept;
  /// `text` with each {column} replaced; fails on a name that is no column, naming those that are.
  /// "{{" is "{". `place` names the option that `text` came from.
  [[nodiscard]] result<std::string> fill(std::string_view place, std::string_view text,
                                         size_t row) const;

  static constexpr size_t most_bytes = size_t{1} << 30U;
  static constexpr size_t most_columns = 256;
  static constexpr size_t most_field_bytes = 4096;

private:
  result<void> take_header(const std::string& here, std::string_view line);
  result<void> take_row(const std::string& here, std::string_view line);
  [[nodiscard]] std::optional<size_t> column_index(std::string_view name) const noexcept;

  std::vector<std::string> columns_;
  /// All fields, row by row, end to end: a million users are a few large blocks.
  std::string fields_;
  std::vector<uint32_t> ends_; // of each field in fields_
  order order_ = order::sequential;
  bool sipp_ = false;
};

} // namespace jackfield::scenario
