#include "app/http/token.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace jackfield::http {
namespace {

class token_file : public testing::Test {
protected:
  token_file() {
    folder_ = testing::TempDir();
    folder_ += "token.XXXXXX";
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~token_file() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ + "/api-token"; }
  void write(const std::string& text, mode_t mode) const {
    std::ofstream{path()} << text;
    ::chmod(path().c_str(), mode);
  }

  std::string folder_;
};

TEST(bearer, only_the_token_will_do) {
  const std::string token(64, 'a');
  EXPECT_TRUE(bears_token("Bearer " + token, token));
  EXPECT_TRUE(bears_token("bearer " + token, token));
  EXPECT_FALSE(bears_token("", token));
  EXPECT_FALSE(bears_token("Bearer ", token));
  EXPECT_FALSE(bears_token("Bearer", token));
  EXPECT_FALSE(bears_token(token, token));
  EXPECT_FALSE(bears_token("Basic " + token, token));
  EXPECT_FALSE(bears_token("Bearer  " + token, token));
  EXPECT_FALSE(bears_token("Bearer " + token + "a", token));
  EXPECT_FALSE(bears_token("Bearer " + token.substr(1), token));
  for (size_t i = 0; i < token.size(); ++i) {
    auto other = token;
    other[i] = 'b';
    EXPECT_FALSE(bears_token("Bearer " + other, token)) << i;
  }
  EXPECT_FALSE(bears_token("Bearer ", "")) << "no token is no key";
}

TEST_F(token_file, is_made_for_its_owner_alone_and_stays) {
  const auto made = read_or_make_token(path());
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(made->size(), 64u);
  EXPECT_EQ(made->find_first_not_of("0123456789abcdef"), std::string::npos);
  struct stat about {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0600u);
  EXPECT_EQ(read_or_make_token(path()), made);
  size_t files = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator{folder_})
    ++files;
  EXPECT_EQ(files, 1u) << "no draft is left";
  std::filesystem::remove(path());
  EXPECT_NE(read_or_make_token(path()), made) << "each is another";
}

TEST_F(token_file, that_others_may_read_is_refused) {
  write("0123456789abcdef0123456789abcdef\n", 0640);
  EXPECT_FALSE(read_or_make_token(path()));
  ::chmod(path().c_str(), 0400);
  EXPECT_TRUE(read_or_make_token(path()));
}

TEST_F(token_file, that_holds_none_is_refused) {
  for (const std::string text : {"", "\n", "short", "two words that are long enough"}) {
    write(text, 0600);
    EXPECT_FALSE(read_or_make_token(path())) << text;
  }
  write(std::string(513, 'a'), 0600);
  EXPECT_FALSE(read_or_make_token(path()));
  EXPECT_FALSE(read_or_make_token(folder_)) << "a folder";
  EXPECT_FALSE(read_or_make_token(folder_ + "/no/such/folder"));
}

} // namespace
} // namespace jackfield::http
