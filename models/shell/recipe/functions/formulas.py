"""Areas, interest, the larger of two, matrices, permutations: what formulas give."""

import math


# computes the area of a circle | returns the area of a circle with a given radius | takes the radius and gives back the area of the circle | gives pi times the radius squared | finds the area enclosed by a circle of radius r | works out the surface of a circle | calculates a circle's area from its radius
def circle_area(radius):
    return math.pi * radius**2


# computes the circumference of a circle | returns the perimeter of a circle | takes the radius and calculates the length around the circle | gives two times pi times the radius | finds the distance around a circle of radius r | works out how long the edge of a circle is | calculates a circle's circumference from its radius
def circumference(radius):
    return 2 * math.pi * radius


# computes the area of a rectangle | returns width times height | takes width and height and calculates the area of the rectangle | finds how much area a rectangle with two given sides covers | works out the surface of a rectangle with given side lengths | calculates a rectangle's area | multiplies the width of a rectangle by its height
def rectangle_area(width, height):
    return width * height


# computes the area of a triangle | returns the area of a triangle from its base and height | takes base and height and calculates the area of the triangle | gives half of base times height | finds how much area a triangle with given base and height covers | works out the surface of a triangle | calculates a triangle's area
def triangle_area(base, height):
    return base * height / 2


# computes the distance between two points | returns the Euclidean distance of two points | takes the coordinates x1, y1, x2 and y2 and returns the distance | finds how far apart two points in the plane are | calculates the straight line distance from one point to another | works out the length of the line between two points | determines the Euclidean distance between (x1, y1) and (x2, y2)
def distance(x1, y1, x2, y2):
    return math.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)


# computes the length of the hypotenuse | applies the Pythagorean theorem | finds the longest side of a right triangle from the two other sides | takes the two legs of a right triangle and returns the hypotenuse | uses Pythagoras on two legs to get the longest side | gives the square root of a squared plus b squared | works out the hypotenuse of a right triangle with legs a and b
def hypotenuse(a, b):
    return math.sqrt(a**2 + b**2)


# computes compound interest | returns an amount with interest after some years | calculates what an amount grows to at a yearly interest rate | takes amount, rate and years and returns the final balance | finds the future value of money invested with compound interest | works out how much savings are worth after years of compounding | gives the amount after interest has been added every year
def compound_interest(amount, rate, years):
    return amount * (1 + rate) ** years


# computes a percentage | returns how many percent a part is of a whole | takes a part and a whole and gives the percentage | finds what percent one number is of another | divides the part by the whole and multiplies by 100 | works out the share of a part in the whole in percent | expresses one value as a percentage of a total
def percentage(part, whole):
    return part / whole * 100


# adds the numbers from 1 to n | returns the sum of the first n numbers | calculates the sum of all the integers from 1 up to n | takes n and returns 1 + 2 + 3 + ... + n | gives the total of the whole numbers up to n | works out the nth triangular number | uses the formula n(n+1)/2 to sum the first n natural numbers
def sum_to(n):
    return n * (n + 1) // 2


# counts down from n to 1 | returns the numbers from n down to 1 | produces a list that runs backwards from n to 1 | takes n and gives a list of the numbers descending to one | lists the integers n, n-1 and so on until 1 | makes a countdown starting at a given number | builds a list of whole numbers in falling order, from n through 1
def countdown(n):
    return list(range(n, 0, -1))


# returns the larger of two numbers | finds the maximum of a and b | takes two numbers and gives back the bigger one | compares a and b and returns whichever is greater | determines the maximum of two values without using max | picks the higher of two given numbers | decides which of two arguments is the larger and returns it
def larger(a, b):
    return a if a > b else b


# returns the largest of three numbers | finds the maximum of three values | takes three numbers and gives back the biggest one | compares a, b and c and returns the greatest | determines the highest of three given values | picks the largest out of exactly three arguments | returns whichever of three numbers is the maximum
def max_of_three(a, b, c):
    return max(a, b, c)


# returns the absolute value of a number | makes a number positive | takes a number and gives it back without its minus sign | finds how far a number is from zero | turns negative numbers into positive ones and leaves the rest unchanged | calculates the magnitude of a number | determines the absolute value without using abs
def absolute(n):
    return -n if n < 0 else n


# limits a number to a range | clamps a value between a minimum and a maximum | keeps a value between a lower and an upper bound | returns low if the value is too small and high if too big | takes value, low and high and forces the value into that range | restricts a number to lie within two given limits | cuts a number off at a minimum and a maximum
def clamp(value, low, high):
    return max(low, min(value, high))


# swaps two values | returns two values in exchanged order | takes a and b and returns b and a | exchanges two variables and gives both back | gives back its two arguments the other way round | switches the order of a pair of values | interchanges two given values
def swap(a, b):
    return b, a


# divides two numbers safely | returns a divided by b, or None if b is zero | performs a division without failing when the divisor is zero | gives the quotient of two numbers, or None when dividing by zero | avoids the division by zero error by returning None | takes a and b and divides them only if b is not zero | calculates a / b and handles a zero denominator
def safe_divide(a, b):
    if b == 0:
        return None
    return a / b


# transposes a matrix | swaps the rows and columns of a matrix | turns the rows of a matrix into columns | takes a list of rows and returns its transpose | flips a matrix over its diagonal | gives back a two-dimensional list with rows and columns exchanged | makes the columns of a 2D array its rows
def transpose(matrix):
    return [list(row) for row in zip(*matrix)]


# multiplies two matrices | returns the product of two matrices | computes the matrix product of a and b | takes two 2D lists and performs matrix multiplication | multiplies one matrix by another | combines rows of one matrix with columns of another to get their product | calculates the product matrix of two nested lists
def matrix_multiply(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


# makes the multiplication table of a number | returns the first ten multiples of n | lists n times 1 through n times 10 | takes a number and gives its times table up to ten | produces a list of the multiples of n from n to 10n | builds the times table for a given integer as a list | multiplies n by each number from one to ten
def multiplication_table(n):
    return [n * i for i in range(1, 11)]


# returns all permutations of a list | lists every order of the elements of a list | generates all possible arrangements of the items in a list | takes a list and gives every way to order its elements | finds all the permutations of an array with recursion | produces each possible ordering of a sequence | collects all the different ways the elements of a list can be arranged
def permutations(items):
    if len(items) <= 1:
        return [items]
    result = []
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1 :]):
            result.append([item] + rest)
    return result


# returns all subsets of a list | makes the power set of a list | generates every possible subset of an array | takes a list and gives all combinations of its elements, of any size | lists all the selections from a list, including the empty one | finds the power set of a given collection | produces every sublist you get by keeping or dropping each element
def subsets(items):
    result = [[]]
    for item in items:
        result += [subset + [item] for subset in result]
    return result
