#pragma once

#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace jackfield::report {

/// A page of a report for people, as one HTML file: opens offline, fetches nothing, runs no script,
/// follows the reader's light or dark setting, and but for its doctype is well-formed XML, if what
/// is put into it is. Texts are markup: what comes from outside is escaped by whoever hands it in
/// (`escape_markup`).
class html_page {
public:
  explicit html_page(std::string_view title);

  template <class... Ts>
  void put(fmt::format_string<Ts...> format, Ts&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Ts>(values)...);
  }
  void raw(std::string_view text) { out_ += text; }

  /// A figure in large, within a `<div class="tiles">`.
  void tile(std::string_view figure, std::string_view name);
  /// A card with a table; without a heading if there is no title, or no columns.
  void begin_table(std::string_view title, std::span<const std::string_view> columns);
  void begin_table(std::string_view title, std::initializer_list<std::string_view> columns) {
    begin_table(title, std::span{columns.begin(), columns.size()});
  }
  void table_row(std::span<const std::string> cells);
  void table_row(std::initializer_list<std::string> cells) {
    table_row(std::span{cells.begin(), cells.size()});
  }
  /// A row that stands out.
  void chosen_row(std::span<const std::string> cells);
  void end_table();

  /// The page, ended.
  [[nodiscard]] std::string take() &&;

private:
  void put_cells(std::span<const std::string> cells);

  std::string out_;
};

/// A name, and in small what it means.
[[nodiscard]] std::string named(std::string_view name, std::string_view meaning);

} // namespace jackfield::report
