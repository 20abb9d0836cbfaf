#include "engine/scenario/user_table.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

user_table table_of(std::string_view text) {
  auto table = user_table::parse("users.csv", text);
  EXPECT_TRUE(table) << table.error().to_string();
  return table ? *table : user_table{};
}

/// The one line shown for a text that is refused.
std::string refusal_of(std::string_view text) {
  const auto table = user_table::parse("users.csv", text);
  if (table)
    return "accepted";
  const auto line = table.error().to_string();
  EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos) << line;
  return line;
}

TEST(user_table, has_the_columns_that_its_first_line_names) {
  const auto table = table_of("user,password,to,desk\nalice,secret,sip:bob@example.com,4\n"
                              "bob,hush,sip:alice@example.com,\n");
  EXPECT_THAT(table.columns(), ElementsAre("user", "password", "to", "desk"));
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table.field(0, "user"), "alice");
  EXPECT_EQ(table.field(0, "desk"), "4");
  EXPECT_EQ(table.field(1, "password"), "hush");
  EXPECT_EQ(table.field(1, "desk"), "");
  EXPECT_EQ(table.field(1, "domain"), std::nullopt);
  EXPECT_EQ(table.pick(), user_table::order::sequential);
}

TEST(user_table, may_have_the_user_in_any_column) {
  const auto table = table_of("password,user\nsecret,alice\n");
  EXPECT_EQ(table.field(0, "user"), "alice");
  EXPECT_EQ(table.field(0, "password"), "secret");
  EXPECT_EQ(table_of("user\nalice").field(0, "password"), std::nullopt);
}

TEST(user_table, does_not_take_a_column_called_field0_for_sipps) {
  const auto table = table_of("field0,user\nx,alice\n");
  EXPECT_EQ(table.field(0, "user"), "alice");
  EXPECT_EQ(table.field(0, "password"), std::nullopt);
}

TEST(user_table, reads_quoted_fields) {
  const auto table =
    table_of("user,\"password\",display\n\"alice\",\" a,\"\"b\"\" \",\"\"\nbob,\"\",x\n");
  EXPECT_EQ(table.field(0, "user"), "alice");
  EXPECT_EQ(table.field(0, "password"), " a,\"b\" ");
  EXPECT_EQ(table.field(0, "display"), "");
  EXPECT_EQ(table.field(1, "password"), "");
}

TEST(user_table, refuses_quotes_that_do_not_fit) {
  EXPECT_EQ(refusal_of("user,password\nalice,\"secret\n"),
            "users.csv:2: a quoted field does not end, expected a closing \"");
  EXPECT_EQ(refusal_of("user,password\n\"alice\"x,secret\n"),
            "users.csv:2: text after a closing quote, expected a comma");
  EXPECT_THAT(refusal_of("user,password\nalice,se\"cret\n"),
              StartsWith("users.csv:2: a quote within a field"));
  EXPECT_THAT(refusal_of("user,password\nalice, \"secret\"\n"),
              StartsWith("users.csv:2: a quote within a field"));
}

TEST(user_table, leaves_out_blanks_around_fields_and_empty_lines) {
  const auto table = table_of("\n user , password \n\n\t alice , secret word \t\n   \nbob,x\n\n");
  EXPECT_THAT(table.columns(), ElementsAre("user", "password"));
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table.field(0, "user"), "alice");
  EXPECT_EQ(table.field(0, "password"), "secret word");
}

TEST(user_table, reads_what_other_systems_write) {
  for (const std::string_view text :
       {"user,password\r\nalice,secret\r\n", "\xef\xbb\xbfuser,password\nalice,secret",
        "\xef\xbb\xbfuser,password\r\n\r\n\"alice\",\"secret\"\r\n"}) {
    const auto table = table_of(text);
    ASSERT_EQ(table.size(), 1U);
    EXPECT_THAT(table.columns(), ElementsAre("user", "password"));
    EXPECT_EQ(table.field(0, "user"), "alice");
    EXPECT_EQ(table.field(0, "password"), "secret");
  }
}

TEST(user_table, has_comments_before_the_first_line_only) {
  const auto table = table_of("# who calls\nuser\n#1\n");
  ASSERT_EQ(table.size(), 1U);
  EXPECT_EQ(table.field(0, "user"), "#1");
}

TEST(user_table, keeps_what_is_not_ascii) {
  EXPECT_EQ(table_of("user,display\nzoe,Zo\xc3\xab\n").field(0, "display"), "Zo\xc3\xab");
}

TEST(user_table, names_the_line_of_a_row_with_too_few_or_too_many_fields) {
  EXPECT_EQ(refusal_of("user,password\nalice,x\nbob\n"), "users.csv:3: 1 fields, expected 2");
  EXPECT_EQ(refusal_of("user,password\nalice,x,y\n"), "users.csv:2: 3 fields, expected 2");
  EXPECT_EQ(refusal_of("\n# comment\nuser,password\n\nalice\n"),
            "users.csv:5: 1 fields, expected 2");
}

TEST(user_table, needs_named_columns_a_user_and_a_row) {
  EXPECT_EQ(refusal_of("user,password,user\nx,y,z\n"),
            "users.csv:1: column \"user\" is named twice");
  EXPECT_EQ(refusal_of("user,,to\nx,y,z\n"), "users.csv:1: column 2 has no name");
  EXPECT_THAT(refusal_of("name,password\nx,y\n"), StartsWith("users.csv:1: no column \"user\""));
  EXPECT_THAT(refusal_of("user;password\nx;y\n"), StartsWith("users.csv:1: no column \"user\""));
  EXPECT_EQ(refusal_of("user,password\n,y\n"), "users.csv:2: the user is empty");
  EXPECT_EQ(refusal_of("user,password\n"), "users.csv: no users, expected at least one row");
  EXPECT_EQ(refusal_of(""), "users.csv: no users, expected at least one row");
  EXPECT_EQ(refusal_of("\xef\xbb\xbf"), "users.csv: no users, expected at least one row");
}

TEST(user_table, refuses_what_would_end_a_headers_line) {
  for (const char c : {'\r', '\0', '\t', '\x1b', '\x7f', '\x01'}) {
    const auto inside = std::string{"a"} + c + "b";
    EXPECT_EQ(refusal_of("user,password\nalice," + inside + "\n"),
              "users.csv:2: a field holds a control character");
    EXPECT_EQ(refusal_of("user,password\n\"" + inside + "\",x\n"),
              "users.csv:2: a field holds a control character");
    EXPECT_EQ(refusal_of("user," + inside + "\nalice,x\n"),
              "users.csv:1: a field holds a control character");
    EXPECT_EQ(refusal_of("SEQUENTIAL\nalice;" + inside + "\n"),
              "users.csv:2: a field holds a control character");
  }
  EXPECT_THAT(refusal_of("user,password\nalice,\"a\nb\"\n"),
              HasSubstr("a quoted field does not end"));
  EXPECT_NE(refusal_of(std::string_view{"\xff\xfeu\0s\0e\0r\0\n\0a\0", 14}), "accepted");
}

TEST(user_table, bounds_fields_and_columns) {
  const std::string longest(user_table::most_field_bytes, 'x');
  EXPECT_EQ(table_of("user\n" + longest).field(0, "user"), longest);
  EXPECT_EQ(refusal_of("user\n" + longest + "x"), "users.csv:2: a field is longer than 4096 bytes");
  EXPECT_EQ(refusal_of("user\n\"" + longest + "x\""),
            "users.csv:2: a field is longer than 4096 bytes");
  std::string names = "user";
  for (size_t i = 1; i < user_table::most_columns; ++i)
    names += ",c" + std::to_string(i);
  EXPECT_EQ(table_of(names + "\nalice" + std::string(255, ',')).columns().size(), 256U);
  EXPECT_EQ(refusal_of(names + ",one_more\n"), "users.csv:1: more than 256 fields");
}

TEST(user_table, reads_sipps_injection_files) {
  const auto table = table_of("SEQUENTIAL\n# user;password;desk\nalice;secret;4\n\nbob;hu,sh;5;\n");
  EXPECT_THAT(table.columns(), ElementsAre("field0", "field1", "field2"));
  EXPECT_EQ(table.pick(), user_table::order::sequential);
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table.field(0, "user"), "alice");
  EXPECT_EQ(table.field(1, "password"), "hu,sh");
  EXPECT_EQ(table.field(1, "field0"), "bob");
  EXPECT_EQ(table.field(1, "field2"), "5");
  EXPECT_EQ(table_of("RANDOM\r\nalice;x;\r\n").pick(), user_table::order::random);
  EXPECT_EQ(table_of("USER\nalice\n").pick(), user_table::order::sequential);
  EXPECT_EQ(table_of("USER\nalice\n").field(0, "password"), std::nullopt);
}

TEST(user_table, reads_sipps_quotes_as_any_other_character) {
  EXPECT_EQ(table_of("RANDOM\n\"alice\";a\"b\n").field(0, "user"), "\"alice\"");
}

TEST(user_table, tells_an_empty_last_field_of_sipps_from_a_closing_separator) {
  const auto table = table_of("SEQUENTIAL\nalice;x;4\nbob;y;\ncarol;z;5;\n");
  EXPECT_EQ(table.field(1, "field2"), "");
  EXPECT_EQ(table.field(2, "field2"), "5");
  EXPECT_EQ(refusal_of("SEQUENTIAL\nalice;x;4\nbob;y\n"), "users.csv:3: 2 fields, expected 3");
}

TEST(user_table, refuses_what_it_does_not_do_for_sipp) {
  EXPECT_THAT(refusal_of("SEQUENTIAL,PRINTF=3\nalice;x\n"),
              StartsWith("users.csv:1: SIPp's PRINTF options are not supported"));
  EXPECT_EQ(refusal_of("SEQUENTIAL\n;x\n"), "users.csv:2: the user is empty");
  EXPECT_EQ(refusal_of("SEQUENTIAL\n# nobody\n"), "users.csv: no users, expected at least one row");
  EXPECT_THAT(refusal_of("USER,password\nalice,x\n"), StartsWith("users.csv:1: no column"));
}

TEST(user_table, fills_in_columns) {
  const auto table = table_of("user,desk\nalice,4\nbob,{user}\n");
  EXPECT_EQ(table.fill("--header", "X-Desk: {desk}/{user}", 0), "X-Desk: 4/alice");
  EXPECT_EQ(table.fill("--header", "no column", 0), "no column");
  EXPECT_EQ(table.fill("--header", "", 0), "");
  EXPECT_EQ(table.fill("--header", "{{user}, }", 0), "{user}, }");
  EXPECT_EQ(table.fill("--header", "{desk}", 1), "{user}");
  const auto sipp = table_of("SEQUENTIAL\nalice;secret\n");
  EXPECT_EQ(sipp.fill("--header", "{field1}{user}{password}", 0), "secretalicesecret");
}

TEST(user_table, names_the_columns_that_there_are) {
  const auto table = table_of("user,desk\nalice,4\n");
  EXPECT_EQ(table.fill("--header", "X: {room}", 0).error().to_string(),
            "--header: {room} is no column of the user file, expected one of: user, desk");
  EXPECT_EQ(table.fill("--header", "X: {}", 0).error().to_string(),
            "--header: {} is no column of the user file, expected one of: user, desk");
  EXPECT_EQ(table.fill("--header", "X: {user", 0).error().to_string(),
            "--header: a { without }, expected {column}, or {{ for a brace");
  EXPECT_EQ(table.fill("--header", "{a\nb}", 0).error().to_string().find('\n'), std::string::npos);
}

/// A folder of the test's own.
class user_table_file : public testing::Test {
protected:
  user_table_file() {
    auto name = (std::filesystem::temp_directory_path() / "jackfield-users-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~user_table_file() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(user_table_file, is_read_and_named_in_errors) {
  const auto path = (folder_ / "users.csv").string();
  std::ofstream{path} << "user,password\nalice,secret\n";
  const auto table = user_table::read(path);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->field(0, "password"), "secret");
  std::ofstream{path} << "user,password\nalice\n";
  EXPECT_EQ(user_table::read(path).error().to_string(), path + ":2: 1 fields, expected 2");
}

TEST_F(user_table_file, that_cannot_be_read_is_named_with_the_cause) {
  EXPECT_EQ(user_table::read(folder_ / "absent.csv").error().to_string(),
            (folder_ / "absent.csv").string() + ": cannot be opened: No such file or directory");
  EXPECT_EQ(user_table::read(folder_).error().to_string(),
            folder_.string() + ": cannot be read: Is a directory");
}

TEST_F(user_table_file, of_many_users_is_read_whole) {
  const auto path = (folder_ / "users.csv").string();
  constexpr size_t many = 100'000;
  {
    std::ofstream out{path};
    out << "user,password\n";
    for (size_t i = 0; i < many; ++i)
      out << "user" << i << ",pw-" << i << '\n';
  }
  const auto table = user_table::read(path);
  ASSERT_TRUE(table);
  ASSERT_EQ(table->size(), many);
  EXPECT_EQ(table->field(many - 1, "user"), "user99999");
  EXPECT_EQ(table->field(54'321, "password"), "pw-54321");
}

} // namespace
} // namespace jackfield::scenario
