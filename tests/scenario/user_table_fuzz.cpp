#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/scenario/user_table.hpp"

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

} // namespace

// What is accepted has a user in every row and nothing that could end a header's line; what is
// refused is refused in one line that names the place.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using jackfield::scenario::user_table;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto table = user_table::parse("fuzz", text);
  if (!table) {
    require(table.error().place.starts_with("fuzz") && is_one_line(table.error().to_string()));
    return 0;
  }
  require(table->size() > 0 && !table->columns().empty());
  for (size_t row = 0; row < table->size(); ++row) {
    require(!table->field(row, "user").value().empty());
    for (const auto& column : table->columns()) {
      const auto field = table->field(row, column).value();
      require(field.size() <= user_table::most_field_bytes && is_one_line(field));
    }
  }
  const auto filled = table->fill("fuzz", text.substr(0, 200), table->size() - 1);
  require(filled || is_one_line(filled.error().to_string()));
  return 0;
}
