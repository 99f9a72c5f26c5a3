# Logistic regression with the pseudo-rows of White, Daniel and Royston (2010, doi 10.1016/j.csda.2010.04.005) where a level
# is predicted perfectly: the numbers of `a_level_that_is_predicted_perfectly_is_fitted_with_augmented_rows`
# (crates/stats/tests/all/impute.rs). Rscript augment.R
options(digits = 17)
x1 <- c(0, 0, 0, 0, 1, 1, 1, 1, 1, 1)
x2 <- c(2, 1, 0, 1, 3, 0, 1, 2, 2, 1)
y <- c(1, 1, 0, 0, 0, 0, 0, 0, 0, 0)
X <- scale(cbind(x1, x2), scale = FALSE)
s <- c(sd(x1), sd(x2))
p <- 2
pseudo <- NULL
level <- NULL
for (j in 1:p) for (v in c(-0.5, 0.5)) for (l in 0:1) {
  row <- rep(0, p)
  row[j] <- v * s[j]
  pseudo <- rbind(pseudo, row)
  level <- c(level, l)
}
D <- cbind(1, rbind(X, pseudo))
yy <- c(y, level)
w <- c(rep(1, length(y)), rep((p + 1) / (4 * p), 4 * p))
fit <- glm(yy ~ D - 1, family = binomial, weights = w, control = glm.control(1e-15, 60))
b <- coef(fit)
for (k in 1:5) { # glm stops a step early
  mu <- as.vector(plogis(D %*% b))
  b <- b + as.vector(solve(t(D) %*% (D * (w * mu * (1 - mu))), t(D) %*% (w * (yy - mu))))
}
mu <- as.vector(plogis(D %*% b))
print(unname(b))
print(unname(sqrt(diag(solve(t(D) %*% (D * (w * mu * (1 - mu))))))))
print(sum(w * (yy * log(mu) + (1 - yy) * log(1 - mu))))
